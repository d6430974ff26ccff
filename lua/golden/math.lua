-- obj {"weight":33}
-- gives {"floor":6,"ceil":7,"max":80,"mod":3,"fmod":-1,"abs":3,"pow":8,"huge":true,"percent":2,"integral":3,"sqrt":9}
return {
  floor = math.floor(20 * obj.weight / 100),
  ceil = math.ceil(20 * obj.weight / 100),
  max = math.max(1, 80, 3),
  mod = math.mod(13, 5),
  fmod = math.fmod(-13, 4),
  abs = math.abs(-3),
  pow = math.pow(2, 3),
  huge = math.huge > 10 ^ 300,
  percent = -3 % 5,
  integral = (math.modf(3.7)),
  sqrt = math.sqrt(81),
}
