-- obj {}
-- fails the result has a key that is neither a name nor a place in a list
return { [true] = 1 }
