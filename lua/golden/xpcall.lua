-- obj {}
-- gives {"handled":"handled: oops"}
local _, handled = xpcall(function() error("oops", 0) end, function(e) return "handled: " .. e end)
return { handled = handled }
