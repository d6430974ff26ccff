-- obj {}
-- fails line 4: 'then' expected near 'return'
if obj
return {}
