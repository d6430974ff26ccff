-- obj {"hosts":"a.example.com b.example.com"}
-- gives {"hosts":["a.example.com","b.example.com"],"position":14}
local function split(text, separator)
  local parts, from = {}, 1
  while true do
    local at, stop = string.find(text, separator, from, true)
    if not at then
      parts[#parts + 1] = string.sub(text, from)
      return parts
    end
    parts[#parts + 1] = string.sub(text, from, at - 1)
    from = stop + 1
  end
end
return { hosts = split(obj.hosts, " "), position = (string.find(obj.hosts, " ", 1, true)) }
