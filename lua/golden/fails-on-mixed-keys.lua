-- obj {}
-- fails the result at route has both names and numbers as keys
return { route = { "a", weight = 1 } }
