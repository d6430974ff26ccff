-- obj {"annotations":{"a":"1"},"weight":"20","matches":[],"canaryService":"web-canary"}
-- gives {"a":"1","example.com/weight":"20"}
local annotations = obj.annotations
annotations["example.com/weight"] = obj.weight
return annotations
