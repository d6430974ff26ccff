-- obj {"canaryWeight":-1}
-- gives {"canary":100,"stable":0}
local canary, stable = obj.canaryWeight, 100 - obj.canaryWeight
if canary == -1 then
  canary, stable = 100, 0
end
canary, stable = stable, canary
stable, canary = canary, stable
return { canary = canary, stable = stable }
