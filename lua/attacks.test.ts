// Scripts that want out, or everything: what they find is a machine of their own with nothing in it, and
// the next script finds it as it was.

import { describe, expect, test } from 'vitest'

import { luaMachine } from './machine.ts'
import { compiledLua } from './module.ts'

const machine = luaMachine(compiledLua())
const run = (text: string, input: unknown = {}) => machine.run(text, JSON.stringify(input))

describe('what is not there', () => {
  const globals =
    'io os debug package coroutine jit ffi arg process load loadstring loadfile dofile module ' +
    'collectgarbage gcinfo newproxy string.dump getmetatable("").__index.dump getfenv(0).debug ' +
    'getfenv(json.encode).debug getfenv(pcall).io math.debug json.io require("json").load'
  test.each([...globals.split(' '), 'rawget(_G, "os")'])('%s', name => {
    expect(run(`return { there = ${name} ~= nil }`)).toEqual({ json: '{"there":false}' })
  })

  test.each(['os', 'io', 'socket', 'ffi', './secret', '/proc/self/environ'])('module %s', name => {
    const words = `there is no module ${name}: a script has json, string, table and math`
    expect(run(`local found = require("${name}") return found`)).toEqual({ wrong: words, line: 1 })
  })

  test('what a script may call, all of it', () => {
    const listed = (path: string) => {
      const text = `local t = {} for k, v in pairs(${path}) do t[k] = type(v) end return t`
      const answer = run(text)
      return Object.keys(JSON.parse('json' in answer ? answer.json : '') as object).toSorted()
    }
    expect(listed('_G').join(' ')).toBe(
      '_G _VERSION assert error getfenv getmetatable ipairs json math next obj pairs pcall print ' +
        'rawequal rawget rawset require select setfenv setmetatable string table tonumber tostring ' +
        'type unpack xpcall',
    )
    expect(listed('string').join(' ')).toBe(
      'byte char find format gfind gmatch gsub len lower match rep reverse sub upper',
    )
    expect(listed('table').join(' ')).toBe(
      'concat foreach foreachi getn insert maxn remove setn sort',
    )
    expect(listed('json')).toEqual(['decode', 'encode'])
  })

  test('compiled code', () => {
    expect(run('\u001BLuaQ\0\u0001\u0004\u0004\u0004\u0008')).toEqual({
      wrong: 'is compiled code, not text',
    })
  })
})

describe('too much', () => {
  const memory = { wrong: 'needs more than 32 MiB of memory' }
  test.each([
    ['a table that grows', 'local t = {} for i = 1, 1e9 do t[i] = i end', memory],
    ['a string that doubles', 'local s = "a" while true do s = s .. s end', memory],
    ['a string of 1 GB', 'return { string.rep("x", 1e9) }', memory],
    [
      'a list of strings',
      'local t = {} while true do t[#t + 1] = ("x"):rep(1e5) .. #t end',
      memory,
    ],
    [
      'functions that call themselves',
      'local function f() return 1 + f() end return f()',
      'stack overflow',
    ],
    [
      'calls back out of C',
      'local function f(s) return (s:gsub(".", f)) end return f("a")',
      'C stack overflow',
    ],
    [
      'a pattern of a million parts',
      'return ("a"):rep(1e6):match(("a?"):rep(1e6))',
      'recurses too deeply',
    ],
    ['ten million values', 'return { unpack({}, 1, 1e7) }', 'too many results to unpack'],
    ['a width of a hundred thousand', 'return { ("%99999d"):format(1) }', 'invalid format'],
    [
      'an index that leads to itself',
      'local t = {} setmetatable(t, { __index = t }) return t.x',
      'loop in gettable',
    ],
    ['a result of 2 MB', 'return { ("x"):rep(2e6) }', 'returns more than 1 MiB'],
    [
      'a result in itself',
      'local t = {} t.t = t return t',
      'the result at t is a table that is somewhere else',
    ],
    [
      'a result of many levels',
      'local t = {} for i = 1, 1e4 do t = { t } end return t',
      'nested more than 100 deep',
    ],
    ['an error of a megabyte', 'error(("x"):rep(1e6), 0)', /^x{500}…$/],
    [
      'an error in the words of an error',
      'error(setmetatable({}, { __tostring = error }))',
      'error with a table',
    ],
    ['parentheses', `return ${'('.repeat(10_000)}1${')'.repeat(10_000)}`, 'levels'],
    [
      'names',
      `local ${Array.from({ length: 300 }, (_, i) => `v${i}`).join(',')} = 1 return {}`,
      'local variables',
    ],
  ])('%s', (_, text, expected) => {
    const answer = run(text)
    if (typeof expected === 'object' && 'wrong' in expected) expect(answer).toEqual(expected)
    else expect('wrong' in answer && answer.wrong).toMatch(expected)
    // And the next one finds nothing of it.
    expect(run('return { left = v ~= nil, sum = 1 + 1 }')).toEqual({
      json: expect.stringMatching(/"sum":2/),
    })
  })

  test('input that is nested a thousand deep', () => {
    const input = JSON.parse(`${'{"a":'.repeat(1_000)}1${'}'.repeat(1_000)}`) as unknown
    expect(run('return { obj.a.a.a ~= nil }', input)).toEqual({ json: '[true]' })
  })
})

describe('what a script leaves behind', () => {
  test.each([
    ['a global', 'left = 1', 'left'],
    ['a function of a library', 'string.left = 1', 'string.left'],
    ['the metatable of strings', 'getmetatable("").__index = { left = 1 }', '("").left'],
    ['a metatable of the globals', 'setmetatable(_G, { __index = { left = 1 } })', 'left'],
    ['its environment', 'setfenv(0, { left = 1 })', 'getfenv(0).left'],
    ['something removed', 'table.insert = nil', 'table.insert == nil and 1 or nil'],
    ['a changed encoder', 'json.encode = nil', 'json.encode == nil and 1 or nil'],
    ['its input', 'obj.left = 1', 'obj.left'],
  ])('%s', (_, text, found) => {
    expect(run(`${text} return { left = ${found} }`)).toEqual({ json: '{"left":1}' })
    expect(run(`return { left = ${found} }`)).toEqual({ json: 'null' })
  })

  test('the same numbers come by chance each time', () => {
    const rolled = run('return { math.random(1e9), math.random(1e9) }')
    expect(run('return { math.random(1e9), math.random(1e9) }')).toEqual(rolled)
  })

  test('a collector of garbage that is called by nobody', () => {
    const text =
      'setmetatable({}, { __gc = function() error("out") end }) return { ("x"):rep(9e5):len() }'
    expect(run(text)).toEqual({ json: '[900000]' })
  })
})

describe('what comes out is JSON and nothing else', () => {
  test('names that mean something to JavaScript', () => {
    const answer = run('return { ["__proto__"] = { polluted = true }, constructor = "x" }')
    const value = JSON.parse('json' in answer ? answer.json : '') as Record<string, unknown>
    expect(Object.keys(value).toSorted()).toEqual(['__proto__', 'constructor'])
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  })

  test('bytes that are no text', () => {
    expect(run('return { ("é"):sub(1, 1) .. "\\255" }')).toEqual({ json: '["��"]' })
  })

  test('a metatable has no say', () => {
    const text =
      'return setmetatable({ a = 1 }, { __index = error, __len = error, __metatable = {} })'
    expect(run(text)).toEqual({ json: '{"a":1}' })
  })
})
