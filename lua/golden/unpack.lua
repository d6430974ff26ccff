-- obj {"items":[3,9,4]}
-- gives {"most":9,"second":9,"count":2}
local function count(...) return select("#", ...) end
local _, second = unpack(obj.items)
return { most = math.max(unpack(obj.items)), second = second, count = count(unpack(obj.items, 2)) }
