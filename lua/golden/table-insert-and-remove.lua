-- obj {"items":["b"]}
-- gives ["a","b","d"]
local items = obj.items
table.insert(items, "c")
table.insert(items, 1, "a")
local gone = table.remove(items)
assert(gone == "c")
table.insert(items, "x")
table.insert(items, "d")
table.remove(items, 3)
return items
