-- obj {}
-- fails returns a nil where a table is expected
local annotations = {}
