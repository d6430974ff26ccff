-- obj {"canaryWeight":20,"stableWeight":80}
-- gives {"a":"20/80","b":"100","c":"50","d":"-3","e":"0.5","f":"1e+15"}
return {
  a = obj.canaryWeight .. "/" .. obj.stableWeight,
  b = tostring(obj.canaryWeight + obj.stableWeight),
  c = tostring(100 / 2),
  d = tostring(-3.0),
  e = tostring(1 / 2),
  f = tostring(10 ^ 15),
}
