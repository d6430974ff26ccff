-- obj {"name":"Web"}
-- gives {"lower":"web","upper":"WEB","len":3,"rep":"ababab","rev":"beW","sub":"eb","byte":87,"char":"ab","neg":"b"}
local name = obj.name
return {
  lower = name:lower(), upper = name:upper(), len = name:len(), rep = ("ab"):rep(3), rev = name:reverse(),
  sub = name:sub(2), byte = name:byte(), char = string.char(97, 98), neg = name:sub(-1),
}
