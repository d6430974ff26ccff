-- obj {"data":{"spec":{"routes":[{"services":[{"name":"web","port":80}]}]}},"canaryWeight":5,"stableWeight":95,"stableService":"web","canaryService":"web-canary"}
-- gives {"spec":{"routes":[{"services":[{"name":"web","port":80,"weight":95},{"name":"web-canary","port":80,"weight":5}]}]}}
local weights = { [obj.stableService] = obj.stableWeight, [obj.canaryService] = obj.canaryWeight }
for _, route in ipairs(obj.data.spec.routes) do
    for i = #route.services, 1, -1 do
        local service = route.services[i]
        if service.name == obj.stableService then
            table.insert(route.services, i + 1, { name = obj.canaryService, port = service.port })
        end
    end
    for _, service in ipairs(route.services) do
        service.weight = weights[service.name]
    end
end
return { spec = obj.data.spec }
