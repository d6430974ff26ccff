-- obj {"name":"web","weight":7}
-- gives {"a":"web: 007","b":"7.00%","c":"\"q\"","d":"ff","e":"  web|web  ","f":"7","g":"A","h":"3.142","i":"1e+06","j":"100%"}
return {
  a = string.format("%s: %03d", obj.name, obj.weight),
  b = string.format("%.2f%%", obj.weight),
  c = string.format("%q", "q"),
  d = string.format("%x", 255),
  e = string.format("%5s|%-5s", obj.name, obj.name),
  f = string.format("%d", 7.0),
  g = string.format("%c", 65),
  h = string.format("%.4g", math.pi),
  i = string.format("%g", 1000000),
  j = ("%s%%"):format(100),
}
