-- obj {"annotations":{"w":"10"},"weight":"-1"}
-- gives {"seen":"no weight"}
local annotations = {}
annotations["w"] = nil
if ( obj.weight ~= "-1" )
then
    annotations["w"] = obj.weight
else
    annotations["seen"] = "no weight"
end
return annotations
