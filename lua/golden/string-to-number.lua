-- obj {"weight":"40"}
-- gives {"stable":60,"hex":16,"none":true,"sum":41}
local weight = tonumber(obj.weight)
return { stable = 100 - weight, hex = tonumber("10", 16), none = tonumber("ten") == nil, sum = obj.weight + 1 }
