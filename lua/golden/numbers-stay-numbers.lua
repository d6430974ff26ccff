-- obj {"canaryWeight":33}
-- gives {"canary":33,"stable":67,"half":16.5,"big":4294967296,"third":0.33333333333333331}
local canary = obj.canaryWeight
return { canary = canary, stable = 100 - canary, half = canary / 2, big = 2 ^ 32, third = 1 / 3 }
