-- obj {}
-- fails line 3: a match needs headers
assert(obj.matches, "a match needs headers")
return {}
