-- obj {}
-- fails returns a string where a table is expected
return "20"
