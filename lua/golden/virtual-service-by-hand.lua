-- obj {"data":{"spec":{"hosts":["web"],"http":[{"route":[{"destination":{"host":"web"}}]}]},"labels":{"a":"b"}},"canaryWeight":20,"stableWeight":80,"stableService":"web","canaryService":"web-canary","matches":null}
-- gives {"spec":{"hosts":["web"],"http":[{"route":[{"destination":{"host":"web"},"weight":80},{"destination":{"host":"web-canary"},"weight":20}]}]},"labels":{"a":"b"}}
local spec = obj.data.spec
for _, rule in ipairs(spec.http) do
    local stable = rule.route[1]
    stable.weight = obj.stableWeight
    local canary = {}
    canary.destination = {}
    canary.destination.host = obj.canaryService
    canary.weight = obj.canaryWeight
    table.insert(rule.route, canary)
end
return obj.data
