// A kind that a cluster may lack, at an API server that answers as a test says: what is known of it, and
// how often it is asked for.

import { expect, test } from 'vitest'

import { Forbidden, NotFound } from '#kube/errors.ts'
import type { Failure } from '#kube/errors.ts'
import { answeredClient } from '../test/world/answered-client.ts'
import { lookFor } from './looking.ts'
import type { LookingOptions, Presence, WatchHooks } from './looking.ts'

const ref = { apiVersion: 'databases.example.com/v1', kind: 'Shard', plural: 'shards' }
const shards = [
  { name: 'shards/status', kind: 'Shard', namespaced: true },
  { name: 'shards', kind: 'Shard', namespaced: true },
]
const list = { group: 'databases.example.com', resource: 'shards', verb: 'list' }

type Answer = typeof shards | 'nowhere' | 'secret' | 'busy'

const codes = { nowhere: 404, secret: 403, busy: 503 }
const failure: Failure = { code: 0, reason: '', message: 'no', causes: [] }

/** What one watch of the kind goes through; gives the error that ends it. */
type Watch = (hooks: WatchHooks) => Error

/** Everything that is learned, and how often it is asked, while discovery answers so: the last one for ever. */
function looking(
  answers: readonly Answer[],
  more: {
    readonly watches?: readonly Watch[]
    readonly named?: () => boolean
    readonly calm?: LookingOptions['calm']
  } = {},
) {
  const { watches, named = () => false, calm } = more
  const learned: Presence[] = []
  const counts = { asked: 0, forgotten: 0 }
  const left = [...(watches ?? [])]
  const ending = new AbortController()
  const start = async () => {
    const client = await answeredClient((request, response) => {
      request.resume()
      // A question whether we have a right: none.
      if (request.method === 'POST') return void response.writeHead(201).end('{"status":{}}')
      const answer = answers[Math.min(counts.asked, answers.length - 1)]!
      counts.asked += 1
      if (typeof answer === 'string') response.writeHead(codes[answer]).end('{}')
      else response.end(JSON.stringify({ resources: answer }))
    })
    const run = async (hooks: WatchHooks, signal: AbortSignal) => {
      const watch = left.shift()
      if (!watch)
        return new Promise<void>(resolve => signal.addEventListener('abort', () => resolve()))
      const error = watch(hooks)
      expect(hooks.endsOn(error)).toBe(true)
      throw error
    }
    return lookFor({
      client,
      ref,
      ...(watches && {
        registered: {
          reflect: hooks => ({ run: signal => run(hooks, signal) }),
          forget: () => void (counts.forgotten += 1),
          rights: [list],
        },
      }),
      named,
      onChange: presence => void learned.push(presence),
      ...(calm && { calm }),
      random: () => 0,
    })
  }
  return { start, learned, counts, ending }
}

const gone: Watch = hooks => {
  hooks.onListed()
  return new NotFound(failure)
}
const forbidden: Watch = () => new Forbidden({ ...failure, message: 'shards is forbidden' })
const unlisted: Watch = hooks => {
  hooks.onUnlisted(new Error('it broke'))
  return new NotFound(failure)
}

test('what is not served is known at once, and not asked for again while no Rollout names it', async () => {
  const calm = { baseMs: 1, capMs: 1 }
  const idle = looking(['nowhere'], { watches: [], calm })
  const kind = await idle.start()
  const running = kind.run(idle.ending.signal)
  await kind.known
  expect(kind.presence()).toEqual({ is: 'unserved' })
  // One that a Rollout names is the clock: it is asked for many times meanwhile.
  const named = looking(['nowhere'], { watches: [], calm, named: () => true })
  const other = (await named.start()).run(named.ending.signal)
  await expect.poll(() => named.counts.asked).toBeGreaterThan(20)
  for (const { ending } of [idle, named]) ending.abort()
  await Promise.all([running, other])
  expect(idle.learned).toEqual([{ is: 'unserved' }])
  expect(idle.counts).toEqual({ asked: 1, forgotten: 1 })
})

test('a Rollout that comes to name it has it looked for at once', async () => {
  const { start, learned, ending } = looking(['nowhere', shards], { watches: [gone] })
  const kind = await start()
  const running = kind.run(ending.signal)
  await kind.known
  kind.lookAgain()
  await expect.poll(() => learned.map(({ is }) => is)).toEqual(['unserved', 'watched'])
  ending.abort()
  await running
})

test('while a Rollout names it, it is looked for until it is there', async () => {
  const answers = ['nowhere', 'nowhere', 'nowhere', shards] as const
  const calm = { baseMs: 1, capMs: 2 }
  const { start, learned, counts, ending } = looking(answers, {
    watches: [gone],
    named: () => true,
    calm,
  })
  const running = (await start()).run(ending.signal)
  await expect.poll(() => learned.map(({ is }) => is)).toEqual(['unserved', 'watched'])
  expect(counts.asked).toBeGreaterThanOrEqual(4)
  ending.abort()
  await running
})

test('what is taken away is forgotten once discovery says so too', async () => {
  const { start, learned, counts, ending } = looking([shards, shards, 'nowhere'], {
    watches: [gone, gone],
  })
  const running = (await start()).run(ending.signal)
  await expect.poll(() => learned.at(-1)?.is).toBe('unserved')
  expect(learned.map(({ is }) => is)).toEqual(['watched', 'unserved'])
  expect(counts.forgotten).toBe(1)
  ending.abort()
  await running
})

test('without the right to read it, the missing rights are known; nobody waits for it', async () => {
  const { start, learned, counts, ending } = looking([shards], { watches: [forbidden] })
  const kind = await start()
  const running = kind.run(ending.signal)
  await kind.known
  expect(learned).toEqual([{ is: 'unread', missing: [list], why: 'shards is forbidden' }])
  expect(counts.forgotten).toBe(0)
  ending.abort()
  await running
})

test('what cannot be listed says why', async () => {
  const { start, ending } = looking([shards], { watches: [unlisted] })
  const kind = await start()
  const running = kind.run(ending.signal)
  await kind.known
  expect(kind.presence()).toEqual({ is: 'unread', missing: [], why: 'it broke' })
  ending.abort()
  await running
})

test('trouble of the API server is told, keeps nobody waiting, and is over when it answers', async () => {
  const { start, learned, ending } = looking(['busy', shards], { watches: [gone] })
  const kind = await start()
  const running = kind.run(ending.signal)
  await kind.known
  expect(kind.presence()).toMatchObject({ is: 'unread', missing: [] })
  await expect.poll(() => learned.at(-1)?.is).toBe('watched')
  ending.abort()
  await running
})

test('a right that is taken away later ends nothing: what is known stays', async () => {
  let ends: boolean | undefined
  const watch: Watch = hooks => {
    hooks.onListed()
    ends = hooks.endsOn(new Forbidden(failure))
    return new NotFound(failure)
  }
  const { start, learned, ending } = looking([shards], { watches: [watch] })
  const running = (await start()).run(ending.signal)
  await expect.poll(() => learned).toEqual([{ is: 'watched' }])
  expect(ends).toBe(false)
  ending.abort()
  await running
})

test('trouble of the API server is no news of what has been read', async () => {
  const answers = [shards, 'busy', shards] as const
  const { start, learned, counts, ending } = looking(answers, { watches: [gone, gone] })
  const running = (await start()).run(ending.signal)
  await expect.poll(() => counts.asked).toBeGreaterThan(3)
  expect(learned).toEqual([{ is: 'watched' }])
  ending.abort()
  await running
})

test.each<[string, Answer, Presence]>([
  ['is served', shards, { is: 'unregistered', plural: 'shards' }],
  ['is kept from us', 'secret', { is: 'unregistered' }],
  ['is not served', 'nowhere', { is: 'unserved' }],
])('a kind that nobody has registered, and that %s', async (_, answer, presence) => {
  const { start, ending } = looking([answer])
  const kind = await start()
  const running = kind.run(ending.signal)
  await kind.known
  expect(kind.presence()).toEqual(presence)
  ending.abort()
  await running
})
