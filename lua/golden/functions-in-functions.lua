-- obj {"weights":[10,20,30]}
-- gives {"sum":60,"doubled":[20,40,60]}
local function map(list, f)
  local mapped = {}
  for i, v in ipairs(list) do mapped[i] = f(v) end
  return mapped
end
local function fold(list, f, start)
  local value = start
  for _, v in ipairs(list) do value = f(value, v) end
  return value
end
return {
  sum = fold(obj.weights, function(a, b) return a + b end, 0),
  doubled = map(obj.weights, function(v) return v * 2 end),
}
