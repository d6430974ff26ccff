// Lua 5.1 as WebAssembly: its memory, the part of its C API that is used, and the few functions that it
// asks of its host. None of them reaches a file, a process or the network: what is not needed to
// compute ends the call.

import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

/** Bytes of a page of memory. */
export const PAGE = 65_536

/** Beyond it Lua says that there is not enough memory. */
export const MEMORY_MOST = 32 * 1024 * 1024

/** The C API of Lua, as far as it is used, and what the compiler of C has added. Numbers are addresses. */
export interface LuaApi {
  readonly memory: WebAssembly.Memory
  readonly __indirect_function_table: WebAssembly.Table
  luaL_newstate(): number
  luaopen_base(state: number): number
  luaopen_table(state: number): number
  luaopen_string(state: number): number
  luaopen_math(state: number): number
  luaopen_debug(state: number): number
  luaL_loadbuffer(state: number, text: number, bytes: number, name: number): number
  lua_pcall(state: number, args: number, results: number, handler: number): number
  lua_settop(state: number, index: number): void
  lua_pushvalue(state: number, index: number): void
  lua_pushlstring(state: number, text: number, bytes: number): void
  lua_toboolean(state: number, index: number): number
  lua_tonumber(state: number, index: number): number
  lua_tolstring(state: number, index: number, bytes: number): number
  malloc(bytes: number): number
  free(address: number): void
  setThrew(threw: number, value: number): void
  stackSave(): number
  stackRestore(address: number): void
  emscripten_stack_init(): void
  __wasm_call_ctors(): void
}

/** Lua's C code wanted to end the process: it has no memory for what it cannot do without. */
export class LuaExit extends Error {}

/** The compiled module. */
export function compiledLua(): WebAssembly.Module {
  const file = import.meta.resolve('wasmoon-lua5.1/dist/liblua5.1.wasm')
  return new WebAssembly.Module(readFileSync(fileURLToPath(file)))
}

/** A machine of its own, with memory of its own. */
export function luaApi(module: WebAssembly.Module): LuaApi {
  const needed = hostFunctions(() => api)
  const imports: Record<string, Record<string, unknown>> = {}
  for (const { module: group, name } of WebAssembly.Module.imports(module)) {
    const functions = (imports[group] ??= {})
    functions[name] = needed.get(name) ?? refused(name)
  }
  const api = new WebAssembly.Instance(module, imports).exports as unknown as LuaApi
  api.emscripten_stack_init()
  api.__wasm_call_ctors()
  return api
}

/** How C jumps out of a function: thrown here, caught by the call that it jumps to. */
const jump = Symbol('longjmp')

function hostFunctions(api: () => LuaApi): ReadonlyMap<string, (...args: number[]) => unknown> {
  return new Map<string, (...args: number[]) => unknown>([
    ['invoke_vii', (at, first, second) => invoke(api(), at!, first!, second!)],
    ['_emscripten_throw_longjmp', () => raise(jump)],
    ['exit', () => raise(new LuaExit('exit'))],
    ['emscripten_memcpy_js', (to, from, count) => copy(api().memory, to!, from!, count!)],
    ['emscripten_resize_heap', bytes => grow(api().memory, bytes! >>> 0)],
    // Asked at the start, answered with: none.
    ['environ_sizes_get', () => 0],
    ['environ_get', () => 0],
  ])
}

function refused(name: string): () => never {
  return () => raise(new Error(`Lua asked its host for ${name}`))
}

function raise(thrown: unknown): never {
  throw thrown
}

/** A call of C by its place in the table, from which it may jump out. */
function invoke(api: LuaApi, at: number, first: number, second: number): void {
  const stack = api.stackSave()
  try {
    const called = api.__indirect_function_table.get(at) as (a: number, b: number) => void
    called(first, second)
  } catch (error) {
    api.stackRestore(stack)
    if (error !== jump) throw error
    api.setThrew(1, 0)
  }
}

function copy(memory: WebAssembly.Memory, to: number, from: number, count: number): void {
  new Uint8Array(memory.buffer).copyWithin(to >>> 0, from >>> 0, (from >>> 0) + (count >>> 0))
}

function grow(memory: WebAssembly.Memory, bytes: number): number {
  if (bytes > MEMORY_MOST) return 0
  memory.grow(Math.ceil((bytes - memory.buffer.byteLength) / PAGE))
  return 1
}
