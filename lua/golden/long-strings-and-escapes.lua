-- obj {}
-- gives {"long":"one\ntwo","level":"a]]b","escaped":"tab\tnew\nquote\"back\\","decimal":"Aé","odd":"d."}
return {
  long = [[
one
two]],
  level = [==[a]]b]==],
  escaped = "tab\tnew\nquote\"back\\",
  decimal = "\65\195\169",
  odd = "\d\.",
}
