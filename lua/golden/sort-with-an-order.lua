-- obj {"rules":[{"name":"b","weight":1},{"name":"a","weight":3},{"name":"c","weight":2}]}
-- gives ["a","c","b"]
table.sort(obj.rules, function(x, y) return x.weight > y.weight end)
local names = {}
for i, rule in ipairs(obj.rules) do names[i] = rule.name end
return names
