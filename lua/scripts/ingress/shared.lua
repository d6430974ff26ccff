-- What the scripts for Ingresses have in common; each of them stands behind this text.

local annotations = obj.annotations or {}

-- What an earlier step has written under these names.
local function clear(prefix, names)
  for _, name in ipairs(names) do
    annotations[prefix .. name] = nil
  end
end

local function match_by(prefix, what, named)
  local exact = named.type ~= 'RegularExpression'
  annotations[prefix .. what] = named.name
  annotations[prefix .. what .. '-value'] = exact and named.value or nil
  annotations[prefix .. what .. '-pattern'] = not exact and named.value or nil
end

-- The controllers know one header, one cookie and one parameter, so the last match that names one counts.
local function split(prefix, knows_queries)
  clear(prefix, { '', '-weight', '-by-cookie', '-by-header', '-by-header-value', '-by-header-pattern' })
  annotations[prefix] = 'true'
  if obj.weight ~= '-1' then
    annotations[prefix .. '-weight'] = obj.weight
  end
  if knows_queries then
    clear(prefix, { '-by-query', '-by-query-value', '-by-query-pattern' })
  end
  for _, match in ipairs(obj.matches or {}) do
    local header = match.headers and match.headers[1]
    if header and header.name == 'canary-by-cookie' then
      annotations[prefix .. '-by-cookie'] = header.value
    elseif header then
      match_by(prefix, '-by-header', header)
    end
    local query = knows_queries and match.queryParams and match.queryParams[1]
    if query then
      match_by(prefix, '-by-query', query)
    end
  end
end
