-- obj {}
-- gives {"seen":"inside","global":"none","same":true}
local function reader() return word end
setfenv(reader, { word = "inside" })
return { seen = reader(), global = word or "none", same = getfenv(1) == _G }
