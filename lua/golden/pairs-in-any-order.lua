-- obj {"labels":{"c":"3","a":"1","b":"2"}}
-- gives {"text":"a=1,b=2,c=3","count":3}
local keys = {}
for key in pairs(obj.labels) do keys[#keys + 1] = key end
table.sort(keys)
local texts = {}
for i = 1, #keys do texts[i] = keys[i] .. "=" .. obj.labels[keys[i]] end
return { text = table.concat(texts, ","), count = #keys }
