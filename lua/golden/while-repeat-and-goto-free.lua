-- obj {"replicas":10}
-- gives {"steps":[1,2,4,8],"down":[3,2,1]}
local steps, n = {}, 1
while n < obj.replicas do
  steps[#steps + 1] = n
  n = n * 2
end
local down, m = {}, 3
repeat
  local last = m
  down[#down + 1] = last
  m = m - 1
until last == 1
return { steps = steps, down = down }
