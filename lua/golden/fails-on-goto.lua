-- obj {}
-- fails line 4: '=' expected near 'continue' (Lua 5.1 has no goto)
for i = 1, 3 do
  if i == 2 then goto continue end
  ::continue::
end
return {}
