-- obj {"annotations":{},"weight":"-1","matches":[{"headers":[{"type":"Exact","name":"x-a","value":"1"}]},{"headers":[{"type":"RegularExpression","name":"x-b","value":".*"}]}]}
-- gives {"1":"x-a=1","2":"x-b~.*"}
local annotations = obj.annotations
for i, match in ipairs(obj.matches) do
    local header = match.headers[1]
    if header.type == "RegularExpression" then
        annotations[tostring(i)] = header.name .. "~" .. header.value
    else
        annotations[tostring(i)] = header.name .. "=" .. header.value
    end
end
return annotations
