-- obj {"name":"größe-😀","tag":"\u0000\u001f"}
-- gives {"name":"größe-😀!","bytes":11,"tag":"\u0000\u001f"}
return { name = obj.name .. "!", bytes = #obj.name - 1, tag = obj.tag }
