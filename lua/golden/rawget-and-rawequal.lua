-- obj {}
-- gives {"raw":true,"equal":false,"type":"table","next":"k"}
local t = setmetatable({ k = 1 }, { __index = function() return "x" end, __eq = function() return true end })
rawset(t, "k", 2)
return { raw = rawget(t, "nothing") == nil and rawget(t, "k") == 2, equal = rawequal(t, {}), type = type(t), next = (next(t)) }
