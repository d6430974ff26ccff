-- A DestinationRule with a subset `canary`, for a VirtualService that keeps to one Service.

local spec = obj.data.spec
spec.subsets = spec.subsets or {}

for _, subset in ipairs(spec.subsets) do
  if subset.name == 'canary' then
    error('there is a subset canary already, which would not be told from ours', 0)
  end
end

table.insert(spec.subsets, { name = 'canary', labels = { ['istio.service.tag'] = 'gray' } })

return obj.data
