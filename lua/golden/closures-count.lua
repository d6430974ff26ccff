-- obj {}
-- gives {"first":1,"second":2,"other":1}
local function counter()
  local count = 0
  return function() count = count + 1 return count end
end
local a, b = counter(), counter()
return { first = a(), second = a(), other = b() }
