-- obj {"depth":5}
-- gives {"text":"5 4 3 2 1 0"}
function down(n)
    if n == 0 then
        return "0"
    end
    return step(n) .. down(n - 1)
end
function step(n)
    return n .. " "
end
return { text = down(obj.depth) }
