// The store behind the API server: compacted, killed, restarted, and large. Secrets are served from
// etcd itself here, ConfigMaps from the API server's memory, since the two forget differently.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { KubeClient } from '#kube/client.ts'
import { Retryable } from '#kube/errors.ts'
import { fromKubeconfig } from '#kube/kubeconfig.ts'
import { NAMESPACES, SECRETS } from '#kube/resources.ts'
import type { ResourceType } from '#kube/resources.ts'
import { startControlPlane } from './control-plane.ts'
import type { ControlPlane } from './control-plane.ts'
import { compact, etcd } from './etcd.ts'
import { startFaultProxy } from './fault-proxy.ts'
import type { FaultProxy } from './fault-proxy.ts'
import { eventually } from './eventually.ts'
import { CONFIG_MAPS, newNamespace, reflect } from './reflections.ts'
import type { ConfigMap } from './reflections.ts'

type Kind = ResourceType<ConfigMap>

const fromEtcd = SECRETS as Kind
const fromMemory = CONFIG_MAPS

let cluster: ControlPlane
let direct: KubeClient
let proxy: FaultProxy
let through: KubeClient

beforeAll(async () => {
  cluster = await startControlPlane({
    progress: () => {},
    apiServerFlags: ['--watch-cache-sizes=secrets#0'],
  })
  direct = new KubeClient(await fromKubeconfig(cluster.kubeconfig))
  proxy = await startFaultProxy(cluster.kubeconfig)
  through = new KubeClient(await fromKubeconfig(proxy.kubeconfig))
})
afterAll(async () => {
  await through?.close()
  await proxy?.stop()
  await direct?.close()
  await cluster?.stop()
})

/** Objects of a kind in a namespace, and what happens to them while nobody looks. */
function objects(kind: Kind, namespace: string) {
  const at = (name: string) => ({ namespace, name })
  const create = (name: string) =>
    direct.create(kind, { apiVersion: 'v1', kind: kind.kind, metadata: at(name) })
  return {
    create,
    begin: () => Promise.all(['kept', 'changed', 'gone', 'again'].map(create)),
    change: async () => {
      await direct.mergePatch(kind, at('changed'), { metadata: { labels: { changed: 'yes' } } })
      await direct.remove(kind, at('gone'))
      await direct.remove(kind, at('again'))
      await create('again')
      await create('new')
    },
  }
}

const changes = ['update changed', 'delete gone', 'delete again', 'add again', 'add new']

/** Objects of both kinds, each with who watches it and has seen nothing so far. */
async function bothWatched() {
  const namespace = await newNamespace(direct)
  const kinds = [fromEtcd, fromMemory].map(type => ({ type, ...objects(type, namespace) }))
  for (const { begin } of kinds) await begin()
  const reflections = await Promise.all(
    kinds.map(({ type }) => reflect({ client: through, namespace, type })),
  )
  for (const { seen } of reflections) seen.length = 0
  return { namespace, kinds, reflections }
}

/** Lets nothing through while it happens. */
async function unseen(namespace: string, happens: () => Promise<void>): Promise<void> {
  const inside = (other?: string) => other === namespace
  proxy.fault = ({ namespace: other }) => (inside(other) ? { type: 'cut' } : undefined)
  for (const { request, reset } of proxy.open()) if (inside(request.namespace)) reset()
  await happens()
  proxy.fault = () => undefined
}

test('what etcd has compacted is listed again, deletes included', async () => {
  const namespace = await newNamespace(direct)
  const { begin, change, create } = objects(fromEtcd, namespace)
  await begin()
  const reflection = await reflect({ client: through, namespace, type: fromEtcd })
  reflection.seen.length = 0
  await unseen(namespace, async () => {
    await change()
    await compact(cluster)
  })
  await reflection.caughtUp(direct)
  expect(reflection.seen.toSorted()).toEqual(changes.toSorted())
  expect(reflection.count('expired')).toBe(1)
  expect(reflection.count('listed')).toBe(2)
  await create('after')
  await eventually(() => expect(reflection.seen).toContain('add after'))
})

test('an API server that starts again is listed again where its memory begins anew', async () => {
  const { namespace, kinds, reflections } = await bothWatched()
  await unseen(namespace, async () => {
    for (const { change } of kinds) await change()
    await cluster.stopComponent('kube-apiserver')
    await cluster.startComponent('kube-apiserver')
  })
  for (const reflection of reflections) {
    await reflection.caughtUp(direct)
    expect(reflection.seen.toSorted()).toEqual(changes.toSorted())
  }
  expect(reflections.map(({ count }) => count('listed'))).toEqual([1, 2])
  for (const { create } of kinds) await create('after')
  for (const { seen } of reflections) {
    await eventually(() => expect(seen).toContain('add after'))
  }
})

test('etcd that is killed and started again costs nothing but time', async () => {
  const { namespace, kinds, reflections } = await bothWatched()

  process.kill(cluster.pids.etcd!, 'SIGKILL')
  await cluster.stopComponent('etcd')
  const write = direct.remove(CONFIG_MAPS, { namespace, name: 'kept' }, { timeoutMs: 2000 })
  await expect(write).rejects.toBeInstanceOf(Retryable)
  await cluster.startComponent('etcd')
  // The API server takes a moment to find it.
  await eventually(async () => void (await direct.list(SECRETS, { namespace, timeoutMs: 2000 })))
  for (const { change } of kinds) await change()
  for (const reflection of reflections) {
    await reflection.caughtUp(direct)
    expect(reflection.seen).toEqual(expect.arrayContaining(changes))
  }
})

describe('5,000 objects', () => {
  const count = 5000
  const namespace = 'large'
  beforeAll(async () => {
    await direct.create(NAMESPACES, {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: namespace },
    })
    // Through the API server this takes longer than all the tests of this file.
    for (let from = 0; from < count; from += 100) {
      const success = Array.from({ length: 100 }, (_, i) => stored(namespace, from + i))
      await etcd(cluster, 'txn', { success })
    }
  })

  /** The lists that were asked for: their limit, and whether they went on from a page before. */
  const asked = () =>
    proxy.requests
      .filter(({ verb, namespace: each }) => verb === 'list' && each === namespace)
      .map(({ path }) => new URLSearchParams(path.split('?')[1]))
      .map(query => `${query.get('limit') ?? 'all'}${query.has('continue') ? ', continued' : ''}`)

  test('come in pages, each once', async () => {
    const before = asked().length
    const reflection = await reflect({ client: through, namespace, type: fromEtcd })
    await reflection.caughtUp(direct)
    expect(reflection.cache.size).toBe(count)
    expect(asked().slice(before)).toEqual(['500', ...Array(9).fill('500, continued')])
  })

  test('come as one list where etcd forgets the first page before the last', async () => {
    const before = asked().length
    const { change, begin } = objects(fromEtcd, namespace)
    await begin()
    let pages = 0
    proxy.fault = request => {
      if (request.namespace !== namespace || request.verb !== 'list') return undefined
      pages += 1
      const meanwhile = async () => {
        await change()
        await compact(cluster)
      }
      return pages === 4 ? { type: 'wait', meanwhile } : undefined
    }
    const reflection = await reflect({ client: through, namespace, type: fromEtcd })
    proxy.fault = () => undefined
    await reflection.caughtUp(direct)
    expect(asked().slice(before)).toEqual(['500', ...Array(3).fill('500, continued'), 'all'])
    expect(reflection.count('failed')).toBe(0)
  })
})

/** An object as the API server would store it. */
function stored(namespace: string, index: number): object {
  const name = `object-${index}`
  const metadata = {
    name,
    namespace,
    uid: `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`,
  }
  const value = JSON.stringify({ apiVersion: 'v1', kind: 'Secret', metadata, type: 'Opaque' })
  const base64 = (text: string) => Buffer.from(text).toString('base64')
  const key = base64(`/registry/secrets/${namespace}/${name}`)
  return { requestPut: { key, value: base64(value) } }
}
