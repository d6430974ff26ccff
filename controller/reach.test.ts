// The question whether the webhook is reached, at an API server that answers as a test says.

import { expect, test } from 'vitest'
import { pino } from 'pino'

import { PROBE } from '#api/names.ts'
import { answeredClient } from '../test/world/answered-client.ts'
import { createReach } from './reach.ts'

type Answer = 'reached' | 'nobody' | 'refused' | 'busy' | 'denied'

const failing = (message: string) => ({ kind: 'Status', message })
const bodies: Readonly<Record<Answer, readonly [number, object]>> = {
  reached: [201, { metadata: { name: 'a', annotations: { [PROBE]: 'reached' } } }],
  nobody: [201, { metadata: { name: 'a' } }],
  refused: [500, failing('failed calling webhook "probe.sluice.dev": dial tcp: refused')],
  denied: [500, failing('failed calling webhook "validate.example.com": dial tcp: refused')],
  busy: [503, failing('etcd has no leader')],
}

/** What is told while the API server answers so; the question after the last answer ends it. */
function told(...answers: readonly Answer[]) {
  return toldIn(1, ...answers)
}

/** The same with a calm of so many milliseconds, where each time that it is reached a write meets nobody. */
async function toldIn(calmMs: number, ...answers: readonly Answer[]) {
  const ending = new AbortController()
  const lines: string[] = []
  const reached: (boolean | undefined)[] = []
  let back = 0
  const left = [...answers]
  const client = await answeredClient((request, response) => {
    request.resume()
    const next = left.shift()
    if (next === undefined) {
      ending.abort()
      return
    }
    const [code, body] = bodies[next]
    response.writeHead(code).end(JSON.stringify(body))
  })
  const write = (line: string) => void lines.push((JSON.parse(line) as { msg: string }).msg)
  const options = { client, namespace: 'own', configuration: 'sluice', log: pino({}, { write }) }
  const onReach = (yes: boolean | undefined) => {
    reached.push(yes)
    if (yes) reach.doubt()
  }
  const onBack = () => void (back += 1)
  const reach = createReach({ ...options, onReach, onBack, soonMs: 1, calmMs })
  await reach.watch(ending.signal)
  return { lines, reached, back }
}

const six = (answer: Answer) => Array.from({ length: 6 }, () => answer)

test('it is told once, with what the API server met, and again when it is reached', async () => {
  const { lines, reached } = await told(...six('refused'), 'refused', 'nobody', 'reached')
  expect(lines).toEqual([
    'the API server does not reach the webhook: dial tcp: refused: let it reach the pods of the webhook on port 9443, and look at their log',
    'the API server reaches the webhook',
  ])
  expect(reached).toEqual([...six('refused').map(() => false), false, false, true])
})

test.each([
  [['reached', 'refused', ...six('busy'), 'reached', 'reached'], 1],
  [['reached', ...six('busy'), 'reached'], 0],
  [['refused', 'reached', 'refused', 'reached'], 2],
] as const)('%j: it is back %i times', async (answers, times) => {
  expect((await told(...answers)).back).toBe(times)
})

test('a webhook that comes a little later is not told', async () => {
  const { lines } = await told('nobody', 'refused', 'refused', 'reached')
  expect(lines).toEqual([])
})

test('the API server’s own trouble says nothing of the webhook', async () => {
  const { lines, reached } = await told('busy', ...six('refused'), 'busy', 'busy')
  expect(lines).toHaveLength(1)
  expect(lines[0]).toContain('dial tcp: refused')
  expect(reached).toEqual(six('refused').map(() => false))
})

test('whoever never says it is told, once', async () => {
  const { lines, reached } = await told('reached', ...six('busy'), 'busy', 'denied', 'reached')
  expect(lines).toEqual([
    'whether the API server reaches the webhook is not known, it does not say: POST /apis/coordination.k8s.io/v1/namespaces/own/leases: 503 etcd has no leader',
  ])
  expect(reached).toEqual([true, undefined, true])
})

test('where a write has met nobody it is asked at once, and again until it is reached', async () => {
  const { reached } = await toldIn(3_600_000, 'reached', 'refused', 'nobody', 'reached')
  expect(reached).toEqual([true, false, false, true])
})

test('a webhook of somebody else that does not answer is not ours', async () => {
  const { lines } = await told(...six('denied'))
  expect(lines).toEqual([expect.stringContaining('is not known')])
})
