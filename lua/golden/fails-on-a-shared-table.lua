-- obj {"w":1}
-- fails the result at b is a table that is somewhere else as well: make one for each place
local canary = { weight = obj.w }
return { a = canary, b = canary }
