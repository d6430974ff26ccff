-- obj {"items":["a","b"]}
-- gives {"text":"1a2b"}
local text = ""
table.foreachi(obj.items, function(i, item) text = text .. i .. item end)
return { text = text }
