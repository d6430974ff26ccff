// A program as a process: what becomes of its log, and of itself, when nobody reads what it says.

import { execFileSync, spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { constants } from 'node:fs'
import { mkdtemp, open, rm } from 'node:fs/promises'
import type { FileHandle } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

import { expect, onTestFinished, test } from 'vitest'

const root = fileURLToPath(new URL('..', import.meta.url))

/** Says it in so many lines of a kilobyte, and then that it is up. */
const speak = `
import { announce, createLog, runProgram, untilAborted } from '#process/program.ts'
const speaker = {
  name: 'speaker',
  about: 'Speaks,\\nline by line.',
  flags: {
    voice: { type: 'string', default: 'low', value: 'WORD', help: 'how it speaks' },
    loud: { type: 'boolean', default: false, help: 'or louder' },
  },
}
await runProgram(speaker, async stop => {
  const log = createLog('speaker', 'info')
  const [count, end] = process.argv.slice(1)
  for (let line = 0; line < count; line++) log.info({ line }, 'x'.repeat(1000))
  if (end === 'crash') throw new Error('it crashes')
  announce({})
  if (end !== 'end') await untilAborted(stop)
  if (end === 'linger') {
    announce({})
    await new Promise(resolve => process.once('disconnect', resolve))
  }
  for (let after = 0; after < 3; after++) log.info('stopped')
})`

/** What is kept for a reader, at the least. */
const kept = 1024 * 1024
/** More than that and a pipe take. */
const tooMuch = 3000
/** More than a pipe takes. */
const much = 500
/** A process that ends waits seconds for us: on a machine that is busy we may be later. */
const late = { retry: 2 }

test.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)('%s ends it, with its last line', async end => {
  const child = speaker('pipe', 1, 'wait')
  const said = text(child.stdout!)
  await once(child, 'message')
  child.kill(end)
  expect(await once(child, 'exit')).toEqual([0, null])
  expect(messages(await said).slice(1)).toEqual(['stopped', 'stopped', 'stopped'])
})

test('a terminal that closes may say so again while it ends', async () => {
  const child = speaker('pipe', 1, 'linger')
  await once(child, 'message')
  child.kill('SIGHUP')
  await once(child, 'message')
  child.kill('SIGHUP')
  child.disconnect()
  expect(await once(child, 'exit')).toEqual([0, null])
})

test('it ends when nobody reads its log', async () => {
  const { reader, writer } = await fifo()
  const child = speaker(writer.fd, tooMuch, 'wait')
  // It goes on while its log stands still,
  await once(child, 'message')
  child.kill('SIGTERM')
  expect(await once(child, 'exit')).toEqual([0, null])
  await writer.close()
  // and what has got out is its first lines, the last of them torn by the end of the process.
  const lines = (await text(reader.createReadStream())).split('\n').slice(0, -1)
  expect(lines.length).toBeGreaterThan(10)
  expect(numbers(lines)).toEqual(lines.map((_, at) => at))
})

test('it ends when the reader of its log is gone with its parent', async () => {
  const { reader, writer } = await fifo()
  const child = speaker(writer.fd, 1, 'wait')
  await once(child, 'message')
  await reader.close()
  child.disconnect()
  expect(await once(child, 'exit')).toEqual([0, null])
})

test('it ends when the reader of its log has stood still before it was gone', async () => {
  const { reader, writer } = await fifo()
  const child = speaker(writer.fd, tooMuch, 'wait')
  await once(child, 'message')
  await reader.close()
  child.kill('SIGTERM')
  expect(await once(child, 'exit')).toEqual([0, null])
})

test(
  'a reader that is late gets the first lines without another one, and then the last',
  late,
  async () => {
    const child = speaker('pipe', tooMuch, 'wait')
    await once(child, 'message')
    let said = ''
    let ends = false
    child.stdout!.setEncoding('utf8').on('data', (part: string) => {
      said += part
      if (said.length > kept && !ends) ends = child.kill('SIGTERM')
    })
    expect(await once(child, 'close')).toEqual([0, null])
    const all = messages(said)
    expect(all.slice(-3)).toEqual(['stopped', 'stopped', 'stopped'])
    // What is kept for it is bounded, and whole.
    expect(all.length).toBeLessThan(tooMuch)
    expect(numbers(said.split('\n').slice(0, -4))).toEqual(all.slice(0, -3).map((_, at) => at))
  },
)

test.each([
  { what: 'an end', end: 'end', code: 0, last: 3, complaint: '' },
  { what: 'a crash', end: 'crash', code: 1, last: 0, complaint: 'speaker: it crashes\n' },
])('$what leaves no line behind', late, async ({ end, code, last, complaint }) => {
  const child = speaker('pipe', much, end)
  const closed = once(child, 'close')
  const [said, complained] = await Promise.all([text(child.stdout!), text(child.stderr!)])
  expect(messages(said)).toHaveLength(much + last)
  expect(complained).toBe(complaint)
  expect(await closed).toEqual([code, null])
})

test.each(['--help', '-h'])('%s tells its flags, and nothing runs', async flag => {
  const child = speaker('pipe', 1, flag)
  const closed = once(child, 'close')
  const [said, complained] = await Promise.all([text(child.stdout!), text(child.stderr!)])
  expect(said).toBe(`speaker [FLAG...]
    Speaks,
    line by line.

  --voice WORD   how it speaks (low unless given)
  --loud         or louder
`)
  expect([complained, ...(await closed)]).toEqual(['', 0, null])
})

function speaker(stdout: 'pipe' | number, lines: number, end: string): ChildProcess {
  const args = ['--input-type=module', '--eval', speak, '--', String(lines), end]
  const child = spawn(process.execPath, args, {
    cwd: root,
    stdio: ['ignore', stdout, 'pipe', 'ipc'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  return child
}

/** A pipe as a container's is, which we do not read on our own. */
async function fifo(): Promise<Readonly<Record<'reader' | 'writer', FileHandle>>> {
  const dir = await mkdtemp(join(tmpdir(), 'sluice-log-'))
  const path = join(dir, 'log')
  execFileSync('mkfifo', [path])
  const reader = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
  const writer = await open(path, constants.O_WRONLY)
  onTestFinished(async () => {
    await Promise.all([reader.close(), writer.close()])
    await rm(dir, { recursive: true })
  })
  return { reader, writer }
}

function messages(said: string): readonly string[] {
  const lines = said.split('\n').slice(0, -1)
  return lines.map(line => (JSON.parse(line) as { msg: string }).msg)
}

function numbers(lines: readonly string[]): readonly number[] {
  return lines.map(line => (JSON.parse(line) as { line: number }).line)
}
