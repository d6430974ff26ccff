-- obj {"items":["a","b","c"]}
-- gives {"n":3,"maxn":10,"length":3}
return { n = table.getn(obj.items), maxn = table.maxn({ [10] = true }), length = #obj.items }
