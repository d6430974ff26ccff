-- obj {"name":"web"}
-- gives {"text":"web-canary"}
local Service = {}
Service.__index = Service
function Service.new(name)
  local self = setmetatable({}, Service)
  self.name = name
  return self
end
function Service:canary()
  return self.name .. "-canary"
end
local Special = setmetatable({}, { __index = Service })
Special.__index = Special
local one = setmetatable({ name = obj.name }, Special)
return { text = one:canary() }
