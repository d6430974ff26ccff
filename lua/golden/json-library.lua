-- obj {"annotations":{"config":"{\"weights\":[1,2,{\"deep\":true}],\"none\":null}"}}
-- gives {"config":"[1,2,{\"deep\":true}]","second":2,"none":true}
local json = require("json")
local config = json.decode(obj.annotations.config)
return { config = json.encode(config.weights), second = config.weights[2], none = config.none == nil }
