-- obj {"host":"web.shop.svc.cluster.local","image":"registry.local:5000/team/web:v1.2.3"}
-- gives {"service":"web","namespace":"shop","tag":"v1.2.3","port":"5000","version":["1","2","3"],"dots":4,"trimmed":"x y","swapped":"b a","upper":"Web-Canary","balanced":"(a(b)c)"}
local service, namespace = string.match(obj.host, "^([^.]+)%.([^.]+)")
local version = {}
for number in string.gmatch(obj.image:match(":v(.*)$"), "%d+") do
  table.insert(version, number)
end
local _, dots = obj.host:gsub("%.", "")
return {
  service = service,
  namespace = namespace,
  tag = obj.image:match(":([^:/]+)$"),
  port = string.match(obj.image, ":(%d+)/"),
  version = version,
  dots = dots,
  trimmed = ("  x y "):gsub("^%s*(.-)%s*$", "%1") .. "",
  swapped = (string.gsub("a b", "(%w) (%w)", "%2 %1")),
  upper = (string.gsub("web-canary", "%f[%a]%a", string.upper)),
  balanced = string.match("x(a(b)c)y", "%b()"),
}
