-- obj {"weight":"30"}
-- gives {"a":"web takes 30","b":"<a><b>"}
return {
  a = (string.gsub("$name takes $weight", "%$(%w+)", { name = "web", weight = obj.weight })),
  b = (string.gsub("ab", ".", function(c) return "<" .. c .. ">" end)),
}
