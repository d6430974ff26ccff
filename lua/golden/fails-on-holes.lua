-- obj {}
-- fails the result at list is a list with holes: fill 1 to 3
return { list = { [1] = "a", [3] = "c" } }
