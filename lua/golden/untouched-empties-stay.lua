-- obj {"data":{"spec":{"emptyDir":{},"args":[],"keep":"x"}}}
-- gives {"spec":{"emptyDir":{},"args":[],"keep":"x"}}
return obj.data
