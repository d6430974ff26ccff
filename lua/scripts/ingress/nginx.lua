-- The annotations of the canary Ingress, for ingress-nginx and for Higress, which reads the same ones.

local PREFIX = 'nginx.ingress.kubernetes.io/canary'

local annotations = obj.annotations or {}

for _, key in ipairs { '', '-weight', '-by-cookie', '-by-header', '-by-header-value', '-by-header-pattern' } do
  annotations[PREFIX .. key] = nil
end

annotations[PREFIX] = 'true'
if obj.weight ~= '-1' then
  annotations[PREFIX .. '-weight'] = obj.weight
end

-- The controller knows one header and one cookie, so the last match that names one counts.
local function match_header(header)
  if header.name == 'canary-by-cookie' then
    annotations[PREFIX .. '-by-cookie'] = header.value
    return
  end
  local exact = header.type ~= 'RegularExpression'
  annotations[PREFIX .. '-by-header'] = header.name
  annotations[PREFIX .. '-by-header-value'] = exact and header.value or nil
  annotations[PREFIX .. '-by-header-pattern'] = not exact and header.value or nil
end

for _, match in ipairs(obj.matches or {}) do
  local header = match.headers and match.headers[1]
  if header then
    match_header(header)
  end
end

return annotations
