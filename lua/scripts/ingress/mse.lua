-- For MSE, which reads the annotations of ingress-nginx and some of its own.

local OWN = 'mse.ingress.kubernetes.io/'

split('nginx.ingress.kubernetes.io/canary', true)

if annotations[OWN .. 'service-subset'] then
  annotations[OWN .. 'service-subset'] = 'gray'
end

local modifier = obj.requestHeaderModifier
if modifier and modifier.set then
  local lines = {}
  for _, header in ipairs(modifier.set) do
    table.insert(lines, header.name .. ' ' .. header.value)
  end
  annotations[OWN .. 'request-header-control-update'] = table.concat(lines, '\n')
end

return annotations
