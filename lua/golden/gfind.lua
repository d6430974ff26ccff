-- obj {"list":"a,b,,c"}
-- gives {"parts":["a","b","c"]}
local parts = {}
for part in string.gfind(obj.list, "[^,]+") do
  table.insert(parts, part)
end
return { parts = parts }
