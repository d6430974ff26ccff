-- obj {"annotations":{"a":"1","b":"2"}}
-- gives {"b":"2"}
obj.annotations["a"] = nil
obj.annotations["c"] = nil
return obj.annotations
