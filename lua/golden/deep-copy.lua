-- obj {"data":{"spec":{"hosts":["a"],"http":[{"route":[{"weight":1}]}]}}}
-- gives {"old":{"hosts":["a"],"http":[{"route":[{"weight":1}]}]},"new":{"hosts":["a"],"http":[{"route":[{"weight":2}]}]}}
function DeepCopy(original)
    local copy
    if type(original) == 'table' then
        copy = {}
        for key, value in pairs(original) do
            copy[key] = DeepCopy(value)
        end
    else
        copy = original
    end
    return copy
end
local new = DeepCopy(obj.data.spec)
new.http[1].route[1].weight = 2
return { old = obj.data.spec, new = new }
