-- obj {}
-- fails line 5: the class is not known
local function check(class)
  if not class then
    error("the class is not known")
  end
end
check(obj.class)
return {}
