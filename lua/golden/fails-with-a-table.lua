-- obj {}
-- fails line 3: error with a table in place of words
error({ code = 1 })
