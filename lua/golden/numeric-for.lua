-- obj {}
-- gives {"down":[10,7,4,1],"none":true,"half":[0,0.5,1]}
local down, half, none = {}, {}, true
for i = 10, 1, -3 do table.insert(down, i) end
for i = 1, 0 do none = false end
for x = 0, 1, 0.5 do table.insert(half, x) end
return { down = down, none = none, half = half }
