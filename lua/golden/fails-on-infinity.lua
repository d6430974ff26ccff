-- obj {}
-- fails the result at a is not a finite number
return { a = 1 / 0 }
