// Whatever breaks between a reflector and the real API server: objects change, go and come back under
// the same name meanwhile, and afterwards the cache is what a fresh list is, and no delete was lost.

import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'

import { defined } from '#core/defined.ts'
import { KubeClient } from '#kube/client.ts'
import { fromKubeconfig } from '#kube/kubeconfig.ts'
import { startFaultProxy } from './fault-proxy.ts'
import type { Exchange, Fault, FaultProxy } from './fault-proxy.ts'
import type { Verb } from './proxied-request.ts'
import { eventually } from './eventually.ts'
import { configMap, CONFIG_MAPS, newNamespace, reflect } from './reflections.ts'
import type { Reflection } from './reflections.ts'

let direct: KubeClient
let proxy: FaultProxy
let through: KubeClient

beforeAll(async () => {
  const { kubeconfig } = inject('cluster')
  direct = new KubeClient(await fromKubeconfig(kubeconfig))
  proxy = await startFaultProxy(kubeconfig)
  through = new KubeClient(await fromKubeconfig(proxy.kubeconfig))
})
afterAll(async () => {
  await through?.close()
  await proxy?.stop()
  await direct?.close()
})

/** One reflector through the proxy, and what may be done to it. */
interface Place {
  readonly watch: () => Exchange
  /** The next requests of these verbs fail, each once, in order. */
  readonly fail: (...faults: readonly (readonly [Verb, Fault])[]) => void
  /** Every request of these verbs fails from now on, and no other. */
  readonly cutOff: (...verbs: readonly Verb[]) => void
}

interface Row {
  readonly what: string
  readonly break: (place: Place) => void
  /** Lists in the end, the first one included; 1 where the watch must go on by itself. */
  readonly lists: number
  /** A watch that is silent for so long is torn down. */
  readonly idleMs?: number
  readonly heal?: (place: Place, reflection: Reflection) => Promise<void>
}

const gone = '{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired"}}\n'
const half = '{"type":"ADDED","object":{"metadata":'
const answer = (status: number, more: object = {}): Fault => ({ type: 'answer', status, ...more })
const busy = answer(429, { headers: { 'retry-after': '1' }, body: 'busy' })
const down = answer(503, { body: { kind: 'Status', code: 503, reason: 'ServiceUnavailable' } })
const expired = answer(410, { body: { kind: 'Status', code: 410, reason: 'Expired' } })
const cut: Fault = { type: 'cut' }
const lose: Fault = { type: 'lose' }

const rows: readonly Row[] = [
  { what: 'the connection is reset', lists: 1, break: ({ watch }) => watch().reset() },
  { what: 'the server ends the watch', lists: 1, break: ({ watch }) => watch().end() },
  {
    what: 'bytes stop and the socket stays',
    lists: 1,
    idleMs: 1500,
    break: ({ watch }) => watch().freeze(),
  },
  { what: 'a line is garbage', lists: 1, break: ({ watch }) => watch().send('garbage\n') },
  {
    what: 'the stream breaks inside an event',
    lists: 1,
    break({ watch }) {
      watch().send(half)
      watch().reset()
    },
  },
  {
    what: 'the stream ends inside an event',
    lists: 1,
    break({ watch }) {
      watch().send(half)
      watch().end()
    },
  },
  {
    what: 'a line has no end',
    lists: 1,
    break({ watch }) {
      watch().send(half)
      for (let mebibytes = 0; mebibytes < 65; mebibytes += 1) watch().send(' '.repeat(1024 * 1024))
    },
  },
  {
    what: 'the watch says 410',
    lists: 2,
    break({ watch, cutOff }) {
      cutOff('list')
      watch().send(gone)
    },
    heal: afterFailures(1),
  },
  {
    what: '410 comes when the watch opens',
    lists: 2,
    break({ watch, fail, cutOff }) {
      fail(['watch', expired])
      cutOff('list')
      watch().reset()
    },
    // Of the connection, and of the list.
    heal: afterFailures(2),
  },
  {
    what: 'a watch is answered 429 and 503, and cut',
    lists: 1,
    break({ watch, fail }) {
      fail(['watch', busy], ['watch', down], ['watch', cut])
      watch().reset()
    },
  },
  {
    what: 'the list after a 410 is answered 429 and 503, lost and garbled',
    lists: 2,
    break({ watch, fail }) {
      const garbled = answer(200, { body: '{"kind":"ConfigMapList","items":[{' })
      fail(['list', busy], ['list', down], ['list', lose], ['list', garbled])
      watch().send(gone)
    },
  },
  {
    what: 'nothing gets through for a while',
    lists: 1,
    break({ watch, cutOff }) {
      cutOff('list', 'watch')
      watch().reset()
    },
    heal: afterFailures(3),
  },
]

/** Nothing is cut off any more when so many attempts have failed. */
function afterFailures(failures: number): NonNullable<Row['heal']> {
  return async ({ cutOff }, { count }) => {
    await eventually(() => expect(count('failed')).toBeGreaterThanOrEqual(failures))
    cutOff()
  }
}

function placeFor(namespace: string): Place {
  let script: readonly (readonly [Verb, Fault])[] = []
  let away: readonly Verb[] = []
  const former = proxy.fault
  proxy.fault = request => {
    if (request.namespace !== namespace) return former(request)
    const [next, ...rest] = script
    if (next?.[0] !== request.verb) return away.includes(request.verb) ? cut : undefined
    script = rest
    return next[1]
  }
  return {
    watch() {
      const open = proxy.open().filter(({ request }) => request.namespace === namespace)
      if (open.length !== 1) throw new Error(`${open.length} watches are open`)
      return open[0]!
    },
    fail: (...faults) => void (script = faults),
    cutOff: (...verbs) => void (away = verbs),
  }
}

describe('the cache is a fresh list, and each change was told, when', () => {
  test.each(rows)('$what', async row => {
    const namespace = await newNamespace(direct)
    const at = (name: string) => ({ namespace, name })
    const create = (name: string, value = '') =>
      direct.create(CONFIG_MAPS, configMap(namespace, name, { value }))
    for (const name of ['kept', 'changed', 'gone', 'again']) await create(name)
    const { idleMs } = row
    const reflection = await reflect({ client: through, namespace, ...defined({ idleMs }) })
    const place = placeFor(namespace)
    await eventually(() => void place.watch())
    await reflection.caughtUp(direct)
    reflection.seen.length = 0

    // A watch that ended by itself may begin anew at this moment.
    await eventually(() => row.break(place))
    await direct.mergePatch(CONFIG_MAPS, at('changed'), { data: { value: '1' } })
    await direct.mergePatch(CONFIG_MAPS, at('changed'), { data: { value: '2' } })
    await direct.remove(CONFIG_MAPS, at('gone'))
    await direct.remove(CONFIG_MAPS, at('again'))
    await create('again', 'another')
    await create('brief')
    await direct.remove(CONFIG_MAPS, at('brief'))
    await create('large', 'x'.repeat(900_000))
    await row.heal?.(place, reflection)

    await reflection.caughtUp(direct)
    const { seen } = reflection
    expect(seen).toEqual(
      expect.arrayContaining(['update changed', 'delete gone', 'delete again', 'add again']),
    )
    expect(seen.filter(each => each.endsWith(' again'))).toEqual(['delete again', 'add again'])
    expect(reflection.count('listed')).toBe(row.lists)
    // It is alive: what happens now is heard on the watch.
    await create('after')
    await eventually(() => expect(seen).toContain('add after'))
    expect(reflection.count('listed')).toBe(row.lists)
  })
})

test('a server that asks for time gets it, on list and on watch', async () => {
  const namespace = await newNamespace(direct)
  const place = placeFor(namespace)
  place.fail(['list', busy], ['watch', busy])
  const reflection = await reflect({ client: through, namespace })
  await eventually(() => expect(reflection.count('failed')).toBe(2))
  const waits = reflection.news.flatMap(each => (each.what === 'failed' ? each.retryInMs : []))
  for (const wait of waits) expect(wait).toBeGreaterThanOrEqual(1000)
  await reflection.caughtUp(direct)
})

test('a reflector sees add, update and delete, and finds them by index', async () => {
  const namespace = await newNamespace(direct)
  const ref = { namespace, name: 'one' }
  const { cache, seen } = await reflect({ client: direct, namespace })
  await direct.create(CONFIG_MAPS, configMap(namespace, 'one', { a: 'x' }))
  await eventually(() => expect(cache.byIndex('value', 'x')).toHaveLength(1))
  await direct.mergePatch(CONFIG_MAPS, ref, { data: { a: 'y' } })
  await eventually(() => expect(cache.byIndex('value', 'y')).toHaveLength(1))
  await direct.remove(CONFIG_MAPS, ref)
  await eventually(() => expect(seen).toEqual(['add one', 'update one', 'delete one']))
  expect(cache.byIndex('value', 'y')).toEqual([])
})
