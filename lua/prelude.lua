-- What a script finds around it, and how it is run. This chunk gives back one function: it takes the
-- script, compiled or not, and its input as JSON, and answers true and what the script returned, as
-- JSON, or false, what is wrong, and the line, where it is known.

local getinfo = debug.getinfo
local error, floor, next, setmetatable, tonumber, tostring, type, xpcall =
  error, math.floor, next, setmetatable, tonumber, tostring, type, xpcall
local byte, char, find, format, gsub, sub =
  string.byte, string.char, string.find, string.format, string.gsub, string.sub
local concat = table.concat

-- Nothing that loads code, and nothing whose answer depends on the machine rather than on the input.
local absent = {
  'collectgarbage', 'coroutine', 'debug', 'dofile', 'gcinfo', 'load', 'loadfile', 'loadstring',
  'module', 'newproxy', 'require',
}
for _, name in next, absent do
  _G[name] = nil
end
string.dump = nil

function print() end

-- JSON. An empty table is null, as the scripts' authors know it, unless it came in as an empty list or
-- object: what a script does not touch goes out as it came.

local came_empty = {}

local escapes = { b = '\b', f = '\f', n = '\n', r = '\r', t = '\t', ['"'] = '"', ['\\'] = '\\', ['/'] = '/' }

local function utf8(code)
  if code < 0x80 then return char(code) end
  local tail = char(0x80 + code % 0x40)
  if code < 0x800 then return char(0xc0 + floor(code / 0x40)) .. tail end
  tail = char(0x80 + floor(code / 0x40) % 0x40) .. tail
  if code < 0x10000 then return char(0xe0 + floor(code / 0x1000)) .. tail end
  return char(0xf0 + floor(code / 0x40000), 0x80 + floor(code / 0x1000) % 0x40) .. tail
end

local function unescaped(text)
  text = gsub(text, '\\u([dD][89abAB]%x%x)\\u([dD][c-fC-F]%x%x)', function(high, low)
    return utf8(0x10000 + (tonumber(high, 16) - 0xd800) * 0x400 + tonumber(low, 16) - 0xdc00)
  end)
  text = gsub(text, '\\(u?)(.)(%x?%x?%x?)', function(u, first, rest)
    if u == '' then return (escapes[first] or first) .. rest end
    return utf8(tonumber(first .. rest, 16))
  end)
  return text
end

local decoded

local function wrong(text, at)
  error(format('not JSON at byte %d: %s', at, sub(text, at, at + 20)), 0)
end

local function string_at(text, at)
  local from, plain = at + 1, true
  local place = from
  while true do
    local stop = find(text, '["\\]', place)
    if not stop then wrong(text, at) end
    if byte(text, stop) == 34 then
      local inside = sub(text, from, stop - 1)
      return plain and inside or unescaped(inside), stop + 1
    end
    plain, place = false, stop + 2
  end
end

local function past(text, at)
  return find(text, '[^ \n\r\t]', at) or #text + 1
end

-- What stands between brackets, to the mark that closes them: `member` reads one of it.
local function members_at(text, at, close, empty, member)
  local object = {}
  at = past(text, at + 1)
  if byte(text, at) == close then
    came_empty[object] = empty
    return object, at + 1
  end
  local count = 0
  while true do
    count = count + 1
    at = past(text, member(object, count, text, at))
    local mark = byte(text, at)
    if mark == close then return object, at + 1 end
    if mark ~= 44 then wrong(text, at) end
    at = past(text, at + 1)
  end
end

local function item(list, count, text, at)
  list[count], at = decoded(text, at)
  return at
end

local function entry(object, _, text, at)
  local key
  if byte(text, at) ~= 34 then wrong(text, at) end
  key, at = string_at(text, at)
  at = past(text, at)
  if byte(text, at) ~= 58 then wrong(text, at) end
  object[key], at = decoded(text, past(text, at + 1))
  return at
end

local words = { ['true'] = true, ['false'] = false }

function decoded(text, at)
  local mark = byte(text, at)
  if mark == 34 then return string_at(text, at) end
  if mark == 123 then return members_at(text, at, 125, '{}', entry) end
  if mark == 91 then return members_at(text, at, 93, '[]', item) end
  local _, stop = find(text, '^-?%d+%.?%d*[eE]?[+-]?%d*', at)
  if stop then return tonumber(sub(text, at, stop)), stop + 1 end
  _, stop = find(text, '^%a+', at)
  local word = stop and sub(text, at, stop)
  if word == 'null' then return nil, stop + 1 end
  if words[word] == nil then wrong(text, at) end
  return words[word], stop + 1
end

local function decode(text)
  local value, at = decoded(text, past(text, 1))
  at = past(text, at)
  if at <= #text then wrong(text, at) end
  return value
end

local shown = setmetatable({ ['"'] = '\\"', ['\\'] = '\\\\' }, {
  __index = function(_, mark) return format('\\u%04x', byte(mark)) end,
})

local function quoted(text)
  if find(text, '[%c"\\]') then text = gsub(text, '[%c"\\]', shown) end
  return '"' .. text .. '"'
end

local DEEPEST = 100
-- Whole numbers below it print fast, and exactly.
local EXACT = 2 ^ 31

-- The text that is being made, in pieces; the keys that lead to where it is; the tables that it has.
local pieces, count, path, depth, seen

local encoded

local function refuse(what)
  local place = ''
  for level = 1, depth do
    local key = path[level]
    if type(key) == 'number' then
      place = place .. '[' .. key .. ']'
    else
      place = place == '' and key or place .. '.' .. key
    end
  end
  error((place == '' and 'the result' or 'the result at ' .. place) .. ' ' .. what, 0)
end

local function put(piece)
  count = count + 1
  pieces[count] = piece
end

-- The number of items where the table is a list; where it is an object, nil.
local function items_of(object)
  local names, numbers, highest = false, 0, 0
  for key in next, object do
    if type(key) == 'string' then
      names = true
    elseif type(key) == 'number' and key >= 1 and floor(key) == key then
      numbers = numbers + 1
      if key > highest then highest = key end
    else
      refuse('has a key that is neither a name nor a place in a list')
    end
  end
  if names and numbers > 0 then refuse('has both names and numbers as keys') end
  if highest > numbers then refuse('is a list with holes: fill 1 to ' .. highest) end
  return not names and numbers or nil
end

local function put_member(key, value)
  path[depth] = key
  encoded(value)
end

local function put_list(list, items)
  put('[')
  for index = 1, items do
    if index > 1 then put(',') end
    put_member(index, list[index])
  end
  put(']')
end

local function put_object(object)
  local mark = '{'
  for key, value in next, object do
    put(mark)
    put(quoted(key))
    put(':')
    put_member(key, value)
    mark = ','
  end
  put('}')
end

local function put_table(object)
  if seen[object] then refuse('is a table that is somewhere else as well: make one for each place') end
  seen[object] = true
  if depth >= DEEPEST then error('the result is nested more than ' .. DEEPEST .. ' deep', 0) end
  local items = items_of(object)
  if items == 0 then return put(came_empty[object] or 'null') end
  depth = depth + 1
  if items then put_list(object, items) else put_object(object) end
  depth = depth - 1
end

local function put_number(value)
  if value ~= value or value == 1 / 0 or value == -1 / 0 then refuse('is not a finite number') end
  local whole = floor(value) == value and value < EXACT and value > -EXACT
  put(format(whole and '%d' or '%.17g', value))
end

local put_as = {
  ['nil'] = function() put('null') end,
  boolean = function(value) put(tostring(value)) end,
  number = put_number,
  string = function(value) put(quoted(value)) end,
  table = put_table,
}

function encoded(value)
  local as = put_as[type(value)]
  if not as then refuse('is a ' .. type(value) .. ', which JSON cannot say') end
  as(value)
end

local function encode(value)
  pieces, count, path, depth, seen = {}, 0, {}, 0, {}
  encoded(value)
  return concat(pieces)
end

json = {
  encode = function(value) return encode(value) end,
  decode = function(text) return decode(text) end,
}

local loaded = { json = json, string = string, table = table, math = math }

function require(name)
  local what = 'there is no module ' .. tostring(name) .. ': a script has json, string, table and math'
  return loaded[name] or error(what, 2)
end

local function explained(cause)
  local line
  for level = 2, 20 do
    local place = getinfo(level, 'Sl')
    if not place then break end
    if place.source == '=script' then
      line = place.currentline
      break
    end
  end
  local words = type(cause) == 'string' or type(cause) == 'number'
  return { text = words and tostring(cause) or 'error with a ' .. type(cause) .. ' in place of words', line = line }
end

-- Where the stack is full, what comes is Lua's own words.
local function answer_of(cause)
  if type(cause) == 'table' then return false, cause.text, cause.line end
  return false, tostring(cause)
end

return function(script, input)
  obj = decode(input)
  local done, value = xpcall(script, explained)
  if not done then return answer_of(value) end
  if type(value) ~= 'table' then
    return false, 'returns a ' .. type(value) .. ' where a table is expected'
  end
  done, value = xpcall(function() return encode(value) end, explained)
  if not done then return answer_of(value) end
  return true, value
end
