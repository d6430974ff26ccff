// A Lua machine runs one script after another, each as if it were the first: what a script leaves behind
// is overwritten with what was there before it. It has no clock: who runs it ends its thread.

import { readFileSync } from 'node:fs'

import { LuaExit, MEMORY_MOST, PAGE, luaApi } from './module.ts'
import type { LuaApi } from './module.ts'

/** What one run gives. */
export type Answer =
  /** What the script returned, as JSON. */
  { readonly json: string } | { readonly wrong: string; readonly line?: number }

/** Runs scripts. */
export interface Machine {
  /** The script's text, and as JSON what it finds in its global `obj`. */
  run(text: string, input: string): Answer
}

/** A machine that is ready. */
export function luaMachine(module: WebAssembly.Module): Machine {
  let ready = prepared(module)
  return {
    run(text, input) {
      const used = ready
      try {
        const answer = evaluate(used, text, input)
        ready = used.restore() ? used : prepared(module)
        return answer
      } catch (error) {
        ready = prepared(module)
        return { wrong: inWords(error) }
      }
    },
  }
}

/** More than an object can have in the API server. */
const RESULT_MOST = 1024 * 1024
const MEMORY_WORDS = `needs more than ${MEMORY_MOST / 1024 / 1024} MiB of memory`

const NO_MEMORY = 4
const ESCAPE = '\u001B'

interface Prepared {
  readonly api: LuaApi
  readonly state: number
  /** Puts everything back; false where that cannot be. */
  restore(): boolean
}

const prelude = readFileSync(new URL('./prelude.lua', import.meta.url), 'utf8')

function prepared(module: WebAssembly.Module): Prepared {
  const api = luaApi(module)
  const state = api.luaL_newstate()
  api.luaopen_base(state)
  api.luaopen_table(state)
  api.luaopen_string(state)
  api.luaopen_math(state)
  api.luaopen_debug(state)
  api.lua_settop(state, 0)
  const machine = { api, state }
  if (load(machine, prelude, '=prelude') !== 0 || api.lua_pcall(state, 0, 1, 0) !== 0) {
    throw new Error(stringAt(machine, -1))
  }
  return { api, state, restore: restorer(api) }
}

type Place = Pick<Prepared, 'api' | 'state'>

/** Its one function is on the stack, at 1. */
function evaluate(machine: Place, text: string, input: string): Answer {
  const { api, state } = machine
  // Lua takes compiled code for a script as well, and does not check it.
  if (text.startsWith(ESCAPE)) return { wrong: 'is compiled code, not text' }
  api.lua_pushvalue(state, 1)
  if (load(machine, text, '=script') !== 0) return misspelt(text, placed(stringAt(machine, -1)))
  withBytes(api, input, (at, bytes) => api.lua_pushlstring(state, at, bytes))
  const status = api.lua_pcall(state, 2, 3, 0)
  if (status === NO_MEMORY) return { wrong: MEMORY_WORDS }
  if (status !== 0) return placed(stringAt(machine, -1))
  if (api.lua_toboolean(state, -3) === 1) return result(stringAt(machine, -2))
  return placed(stringAt(machine, -2), api.lua_tonumber(state, -1))
}

function result(json: string): Answer {
  if (json.length <= RESULT_MOST) return { json }
  return { wrong: `returns more than ${RESULT_MOST / 1024 / 1024} MiB` }
}

/** Lua puts the place before the words, where it knows it. */
function placed(words: string, known = 0): Answer {
  if (words === 'not enough memory') return { wrong: MEMORY_WORDS }
  const [, line = known, wrong] = /^(?:script:(\d+): )?(.*)$/s.exec(words)!
  const text = wrong!.length > WORDS_MOST ? `${wrong!.slice(0, WORDS_MOST)}…` : wrong!
  return Number(line) > 0 ? { wrong: text, line: Number(line) } : { wrong: text }
}

const WORDS_MOST = 500

/** A newer Lua has it, and the one of Kruise Rollouts: the words of this one would not help. */
function misspelt(text: string, answer: Answer): Answer {
  if ('json' in answer || answer.line === undefined) return answer
  const line = text.split('\n')[answer.line - 1] ?? ''
  if (!/\bgoto\b|::/.test(line)) return answer
  return { ...answer, wrong: `${answer.wrong} (Lua 5.1 has no goto)` }
}

function inWords(error: unknown): string {
  if (error instanceof LuaExit) return MEMORY_WORDS
  if (error instanceof RangeError) return 'recurses too deeply'
  if (error instanceof WebAssembly.RuntimeError) return `breaks Lua: ${error.message}`
  throw error
}

function load({ api, state }: Place, text: string, name: string): number {
  return withBytes(api, text, (at, bytes) =>
    withBytes(api, `${name}\0`, nameAt => api.luaL_loadbuffer(state, at, bytes, nameAt)),
  )
}

function withBytes<T>(api: LuaApi, text: string, use: (at: number, bytes: number) => T): T {
  const bytes = Buffer.from(text)
  const at = api.malloc(bytes.length + 1)
  if (at === 0) throw new LuaExit('malloc')
  new Uint8Array(api.memory.buffer).set(bytes, at)
  const used = use(at, bytes.length)
  api.free(at)
  return used
}

const LENGTH_BYTES = 4

/** What is not valid UTF-8 becomes U+FFFD. */
function stringAt({ api, state }: Place, index: number): string {
  const length = api.malloc(LENGTH_BYTES)
  const at = api.lua_tolstring(state, index, length)
  const bytes = new DataView(api.memory.buffer).getUint32(length, true)
  api.free(length)
  return at === 0 ? '' : Buffer.from(api.memory.buffer, at, bytes).toString()
}

/**
 * Memory holds the C program's variables, its stack and its heap, in this order. What lies beyond the heap
 * that is in use was never read, and need not be put back.
 */
function restorer(api: LuaApi): () => boolean {
  const { byteLength } = api.memory.buffer
  const stack = api.stackSave()
  const kept = new Uint8Array(api.memory.buffer.slice(0, usedBytes(api.memory.buffer)))
  return () => {
    if (api.memory.buffer.byteLength !== byteLength) return false
    new Uint8Array(api.memory.buffer).set(kept)
    api.stackRestore(stack)
    api.setThrew(0, 0)
    return true
  }
}

/** The allocator's own marks end what is in use, so the last page with anything in it is the last one. */
function usedBytes(buffer: ArrayBuffer): number {
  const empty = Buffer.alloc(PAGE)
  let end = buffer.byteLength
  while (Buffer.from(buffer, end - PAGE, PAGE).equals(empty)) end -= PAGE
  return end
}
