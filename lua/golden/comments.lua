-- obj {}
-- gives {"a":1}
--[[ a block
comment ]]
--[==[ another ]] one ]==]
return { a = 1; } -- and a semicolon
