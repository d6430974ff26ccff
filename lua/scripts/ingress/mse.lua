-- The annotations of the canary Ingress, for MSE, which reads those of ingress-nginx and some of its own.

local PREFIX = 'nginx.ingress.kubernetes.io/canary'
local OWN = 'mse.ingress.kubernetes.io/'

local annotations = obj.annotations or {}

for _, key in ipairs {
  '', '-weight', '-by-cookie', '-by-header', '-by-header-value', '-by-header-pattern',
  '-by-query', '-by-query-value', '-by-query-pattern',
} do
  annotations[PREFIX .. key] = nil
end

annotations[PREFIX] = 'true'
if obj.weight ~= '-1' then
  annotations[PREFIX .. '-weight'] = obj.weight
end

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

-- The controller knows one of each, so the last match that names one counts.
local function match_by(what, named)
  local exact = named.type ~= 'RegularExpression'
  annotations[PREFIX .. what] = named.name
  annotations[PREFIX .. what .. '-value'] = exact and named.value or nil
  annotations[PREFIX .. what .. '-pattern'] = not exact and named.value or nil
end

for _, match in ipairs(obj.matches or {}) do
  local header = match.headers and match.headers[1]
  if header and header.name == 'canary-by-cookie' then
    annotations[PREFIX .. '-by-cookie'] = header.value
  elseif header then
    match_by('-by-header', header)
  end
  local query = match.queryParams and match.queryParams[1]
  if query then
    match_by('-by-query', query)
  end
end

return annotations
