-- obj {"annotations":{}}
-- fails line 4: attempt to index field 'headers' (a nil value)
local match = obj.annotations
return match.headers[1]
