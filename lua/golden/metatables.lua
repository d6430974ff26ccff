-- obj {"weight":"10"}
-- gives {"missing":"none","sum":30,"text":"w(10)","called":11,"same":true}
local mt = {}
mt.__index = function() return "none" end
mt.__add = function(a, b) return a.value + b.value end
mt.__tostring = function(w) return "w(" .. w.value .. ")" end
mt.__call = function(w, n) return w.value + n end
mt.__eq = function(a, b) return a.value == b.value end
local function weight(n) return setmetatable({ value = n }, mt) end
local a, b = weight(tonumber(obj.weight)), weight(20)
return { missing = a.nothing, sum = a + b, text = tostring(a), called = a(1), same = a == weight(10) }
