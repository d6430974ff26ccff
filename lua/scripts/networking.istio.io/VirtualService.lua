-- A VirtualService that sends a share of the requests, or those that match, to the canary.

local spec = obj.data.spec
local same_service = obj.stableService == obj.canaryService

local canary_weight, stable_weight = obj.canaryWeight, obj.stableWeight
if canary_weight == -1 then
  canary_weight, stable_weight = 100, 0
end

local function leads_to_stable(route)
  local host = route.destination and route.destination.host
  return host and string.match(host, '^[^.]*') == obj.stableService
end

-- Where a Service has several ports, Istio wants to know which one.
local function canary_destination(port)
  local number = port and { number = port.number }
  if same_service then
    return { host = obj.stableService, subset = 'canary', port = number }
  end
  return { host = obj.canaryService, port = number }
end

local function stable_route(rule)
  for _, route in ipairs(rule.route or {}) do
    if leads_to_stable(route) then
      return route
    end
  end
end

local function has_match(rule)
  return rule.match ~= nil and next(rule.match) ~= nil
end

local function add_share(rule)
  local stable = stable_route(rule)
  if has_match(rule) or not stable then
    return 0
  end
  local count = #rule.route
  for _, route in ipairs(rule.route) do
    if route.weight then
      route.weight = math.floor(route.weight * stable_weight / 100)
    else
      route.weight = math.floor(stable_weight / count)
    end
  end
  local destination = canary_destination(stable.destination.port)
  table.insert(rule.route, { destination = destination, weight = canary_weight })
  return 1
end

local function add_shares()
  local changed = 0
  for _, protocol in ipairs { 'http', 'tcp', 'tls' } do
    for _, rule in ipairs(spec[protocol] or {}) do
      changed = changed + add_share(rule)
    end
  end
  if changed == 0 then
    error('no rule without a match leads to ' .. obj.stableService .. ', so no request would reach the canary', 0)
  end
end

local PATHS = { Exact = 'exact', PathPrefix = 'prefix', RegularExpression = 'regex' }

local function by_name(list)
  if not list or #list == 0 then
    return nil
  end
  local names = {}
  for _, one in ipairs(list) do
    names[one.name] = one.value
  end
  return names
end

local function conditions(list)
  if not list or #list == 0 then
    return nil
  end
  local names = {}
  for _, one in ipairs(list) do
    names[one.name] = { [one.type == 'RegularExpression' and 'regex' or 'exact'] = one.value }
  end
  return names
end

local function header_changes()
  local modifier = obj.requestHeaderModifier
  if not modifier then
    return nil
  end
  local remove
  for _, name in ipairs(modifier.remove or {}) do
    remove = remove or {}
    table.insert(remove, name)
  end
  local request = { set = by_name(modifier.set), add = by_name(modifier.add), remove = remove }
  return next(request) and { request = request } or nil
end

local function port_of_stable()
  for _, rule in ipairs(spec.http or {}) do
    local stable = stable_route(rule)
    if stable then
      return stable.destination.port
    end
  end
end

local function add_matches()
  local port = port_of_stable()
  spec.http = spec.http or {}
  for _, match in ipairs(obj.matches) do
    local wanted = { headers = conditions(match.headers), queryParams = conditions(match.queryParams) }
    if match.path then
      wanted.uri = { [PATHS[match.path.type] or 'prefix'] = match.path.value }
    end
    -- Rules are tried from the top.
    table.insert(spec.http, 1, {
      match = { wanted },
      headers = header_changes(),
      route = { { destination = canary_destination(port) } },
    })
  end
end

if obj.matches and next(obj.matches) then
  add_matches()
else
  add_shares()
end

return obj.data
