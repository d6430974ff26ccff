-- obj {"weight":"5"}
-- gives {"w":"5"}
annotations = {}
if ( obj.annotations )
then
    annotations = obj.annotations
end
annotations["w"] = obj.weight
return annotations
