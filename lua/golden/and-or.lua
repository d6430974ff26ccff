-- obj {"annotations":null,"flag":false}
-- gives {"a":"default","b":"no","c":true,"d":"kept"}
local annotations = obj.annotations or { a = "default" }
return { a = annotations.a, b = obj.flag and "yes" or "no", c = not obj.missing, d = obj.flag == nil and "lost" or "kept" }
