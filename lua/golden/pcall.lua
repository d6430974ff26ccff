-- obj {"annotations":{}}
-- gives {"ok":false,"words":"boom","line":"script:4: with a place","value":7,"thrown":"x"}
local ok, words = pcall(function() error("boom", 0) end)
local _, line = pcall(function() error("with a place") end)
local _, value = pcall(function() return 7 end)
local _, thrown = pcall(error, { code = "x" })
return { ok = ok, words = words, line = line, value = value, thrown = thrown.code }
