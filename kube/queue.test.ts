import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Conflict, NotFound, Retryable } from './errors.ts'
import { WorkQueue } from './queue.ts'
import type { RunReport } from './queue.ts'

beforeEach(() => {
  vi.useFakeTimers({ now: 1_000_000 })
})
afterEach(() => {
  vi.useRealTimers()
})

const failure = { code: 409, reason: '', message: 'no', causes: [] }

/** A queue whose runs end when the test says so. */
function controlled(concurrency = 10) {
  const starts: string[] = []
  const open = new Map<string, PromiseWithResolvers<void>>()
  const reports: RunReport[] = []
  let running = 0
  let most = 0
  const queue = new WorkQueue({
    concurrency,
    random: () => 1,
    onRun: report => reports.push(report),
    run: async key => {
      if (open.has(key)) throw new Error(`${key} runs twice`)
      starts.push(key)
      const gate = Promise.withResolvers<void>()
      open.set(key, gate)
      running += 1
      most = Math.max(most, running)
      await gate.promise.finally(() => {
        running -= 1
        open.delete(key)
      })
    },
  })
  const tick = (ms = 0) => vi.advanceTimersByTimeAsync(ms)
  return {
    queue,
    starts,
    reports,
    tick,
    most: () => most,
    end: async (key: string) => {
      open.get(key)!.resolve()
      await tick()
    },
    fail: async (key: string, error: Error) => {
      open.get(key)!.reject(error)
      await tick()
    },
  }
}

test('a key added many times runs once, and once more if it was added while it ran', async () => {
  const { queue, starts, tick, end } = controlled()
  queue.add('a')
  queue.add('a')
  await tick()
  expect(starts).toEqual(['a'])
  queue.add('a')
  queue.add('a')
  await tick()
  expect(starts).toEqual(['a'])
  await end('a')
  expect(starts).toEqual(['a', 'a'])
  await end('a')
  expect(starts).toEqual(['a', 'a'])
  expect(queue.stats()).toEqual({ depth: 0, waiting: 0, running: 0, retries: 0, errors: 0 })
})

test('no more keys run at once than allowed, and the first come first', async () => {
  const { queue, starts, tick, end, most } = controlled(2)
  for (const key of ['a', 'b', 'c', 'd']) queue.add(key)
  await tick()
  expect(starts).toEqual(['a', 'b'])
  expect(queue.stats()).toMatchObject({ depth: 2, running: 2 })
  await end('b')
  await end('a')
  expect(starts).toEqual(['a', 'b', 'c', 'd'])
  expect(most()).toBe(2)
})

test('of several times the earliest counts, and a run uses it up', async () => {
  const { queue, starts, tick, end } = controlled()
  queue.addAt('a', Date.now() + 5_000)
  queue.addAt('a', Date.now() + 1_000)
  queue.addAt('a', Date.now() + 9_000)
  await tick(999)
  expect(starts).toEqual([])
  await tick(1)
  expect(starts).toEqual(['a'])
  await end('a')
  await tick(20_000)
  expect(starts).toEqual(['a'])
})

test('a time gone by is now, and a time while the key runs is kept', async () => {
  const { queue, starts, tick, end } = controlled()
  queue.addAt('a', Date.now() - 1)
  await tick()
  queue.addAt('a', Date.now() + 100)
  await end('a')
  expect(starts).toEqual(['a'])
  await tick(100)
  expect(starts).toEqual(['a', 'a'])
})

test('a time far away survives a clock that jumps', async () => {
  const { queue, starts, tick } = controlled()
  const at = Date.now() + 3_600_000
  queue.addAt('a', at)
  vi.setSystemTime(at)
  await tick(60_000)
  expect(starts).toEqual(['a'])
})

test('a clock that is set back makes nobody wait as long', async () => {
  const { queue, starts, tick } = controlled()
  queue.addAt('a', Date.now() + 5000)
  vi.setSystemTime(Date.now() - 3_600_000)
  await tick(5000)
  expect(starts).toEqual(['a'])
})

test('errors wait longer each time, up to half a minute, and success forgets them', async () => {
  const { queue, starts, reports, tick, fail, end } = controlled()
  queue.add('a')
  await tick()
  for (let i = 0; i < 16; i += 1) {
    await fail('a', new Error('bug'))
    await tick(reports.at(-1)!.retryInMs!)
    expect(starts).toHaveLength(i + 2)
  }
  const waits = reports.map(report => report.retryInMs)
  expect(waits.slice(0, 4)).toEqual([5, 10, 20, 40])
  expect(waits.at(-1)).toBe(30_000)
  expect(queue.stats()).toMatchObject({ retries: 16, errors: 16 })
  await end('a')
  queue.add('a')
  await tick()
  await fail('a', new Error('bug'))
  expect(reports.at(-1)!.retryInMs).toBe(5)
})

test('conflicts and missing objects come back within a second and are not errors', async () => {
  const { queue, reports, tick, fail } = controlled()
  queue.add('a')
  await tick()
  for (let i = 0; i < 12; i += 1) {
    await fail('a', i % 2 ? new Conflict(failure) : new NotFound(failure))
    await tick(reports.at(-1)!.retryInMs!)
  }
  expect(reports.every(report => report.outcome === 'retry')).toBe(true)
  expect(Math.max(...reports.map(report => report.retryInMs ?? 0))).toBe(1_000)
  expect(queue.stats()).toMatchObject({ retries: 12, errors: 0 })
})

test('a server that asks for time gets it', async () => {
  const { queue, starts, tick, fail } = controlled()
  queue.add('a')
  await tick()
  await fail('a', new Retryable({ ...failure, code: 429, retryAfterMs: 4_000 }))
  await tick(3_999)
  expect(starts).toEqual(['a'])
  await tick(6)
  expect(starts).toEqual(['a', 'a'])
})

test('one failing key delays no other, even on one lane', async () => {
  const { queue, starts, tick, fail, end } = controlled(1)
  queue.add('bad')
  queue.add('good')
  await tick()
  await fail('bad', new Error('bug'))
  expect(starts).toEqual(['bad', 'good'])
  await end('good')
})

test('a failing key that was added meanwhile runs at once', async () => {
  const { queue, starts, tick, fail } = controlled()
  queue.add('a')
  await tick()
  queue.add('a')
  await fail('a', new Error('bug'))
  expect(starts).toEqual(['a', 'a'])
  expect(queue.stats()).toMatchObject({ waiting: 0, running: 1 })
})

test('a run that throws before its first wait frees its key', async () => {
  const queue = new WorkQueue({
    concurrency: 1,
    run: () => {
      throw new Error('bug')
    },
  })
  queue.add('a')
  await vi.advanceTimersByTimeAsync(0)
  expect(queue.stats()).toMatchObject({ running: 0, errors: 1, waiting: 1 })
  await queue.stop()
})

test('stop waits for what runs, and starts nothing more', async () => {
  const { queue, starts, tick, end } = controlled(1)
  queue.add('a')
  queue.add('b')
  queue.addAt('c', Date.now() + 10)
  await tick()
  let stopped = false
  const stopping = queue.stop().then(() => (stopped = true))
  queue.add('d')
  await tick(1_000)
  expect(stopped).toBe(false)
  await end('a')
  await stopping
  expect(starts).toEqual(['a'])
  expect(vi.getTimerCount()).toBe(0)
})
