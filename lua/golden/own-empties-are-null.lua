-- obj {}
-- gives {"a":null,"b":[null]}
return { a = {}, b = { {} } }
