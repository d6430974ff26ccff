-- obj {}
-- fails the result at a is a function, which JSON cannot say
return { a = print }
