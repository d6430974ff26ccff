-- obj {}
-- gives {"n":3,"first":"a"}
local function pack(...)
  local packed = { ... }
  packed.n = select("#", ...)
  return packed
end
local packed = pack("a", nil, "c")
return { n = packed.n, first = packed[1] }
