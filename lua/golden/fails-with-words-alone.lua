-- obj {}
-- fails line 3: not today
error("not today", 0)
