// The client, the reflector and the lease against a real API server.

import { createServer, connect as connectTo } from 'node:net'
import type { AddressInfo, Socket } from 'node:net'

import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test, vi } from 'vitest'

import type { KubeObject } from '#api/kubernetes.ts'
import { Cache } from '#kube/cache.ts'
import { KubeClient } from '#kube/client.ts'
import type { Connection } from '#kube/connection.ts'
import { AlreadyExists, Conflict, Gone, Invalid, NotFound } from '#kube/errors.ts'
import { fromKubeconfig } from '#kube/kubeconfig.ts'
import { LeaderElector } from '#kube/lease.ts'
import type { LeaseNews } from '#kube/lease.ts'
import { Reflector } from '#kube/reflector.ts'
import type { ReflectorNews } from '#kube/reflector.ts'
import { DEPLOYMENTS, LEASES, NAMESPACES, resource } from '#kube/resources.ts'

import { startControlPlane } from './control-plane.ts'

interface ConfigMap extends KubeObject {
  readonly data?: Readonly<Record<string, string>>
}

const CONFIG_MAPS = resource<ConfigMap>('v1', 'configmaps', 'ConfigMap')

const warnings: string[] = []
let connection: Connection
let client: KubeClient

beforeAll(async () => {
  connection = await fromKubeconfig(inject('cluster').kubeconfig)
  client = new KubeClient(connection, { onWarning: text => warnings.push(text) })
})
afterAll(() => client.close())

async function newNamespace(): Promise<string> {
  const name = `kube-${Math.random().toString(36).slice(2, 10)}`
  await client.create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
  onTestFinished(() => client.remove(NAMESPACES, { name }))
  return name
}

const configMap = (namespace: string, name: string, data: Record<string, string> = {}) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { namespace, name },
  data,
})

const eventually = (fact: () => void) => vi.waitFor(fact, { timeout: 20_000, interval: 20 })

describe('requests', () => {
  test('every kind of write arrives, and reads give the whole object', async () => {
    const namespace = await newNamespace()
    const ref = { namespace, name: 'one' }
    const made = await client.create(CONFIG_MAPS, configMap(namespace, 'one', { a: '1' }))
    expect(made.metadata.uid).toBeDefined()
    await client.mergePatch(CONFIG_MAPS, ref, { data: { b: '2' } })
    await client.jsonPatch(CONFIG_MAPS, ref, [{ op: 'add', path: '/data/c', value: '3' }])
    const options = { fieldManager: 'test', force: true }
    await client.apply(CONFIG_MAPS, configMap(namespace, 'one', { d: '4' }), options)
    await client.strategicPatch(CONFIG_MAPS, ref, { data: { e: '5' } })
    const now = await client.get(CONFIG_MAPS, ref)
    expect(now.data).toEqual({ a: '1', b: '2', c: '3', d: '4', e: '5' })
    const replaced = await client.replace(CONFIG_MAPS, { ...now, data: { z: '9' } })
    expect(replaced.data).toEqual({ z: '9' })
    await client.mergePatch(CONFIG_MAPS, ref, { data: { z: 'dry' } }, { dryRun: true })
    expect((await client.get(CONFIG_MAPS, ref)).data).toEqual({ z: '9' })
    await client.remove(CONFIG_MAPS, ref)
    await expect(client.get(CONFIG_MAPS, ref)).rejects.toBeInstanceOf(NotFound)
  })

  test('each refusal is its own error', async () => {
    const namespace = await newNamespace()
    const ref = { namespace, name: 'one' }
    const made = await client.create(CONFIG_MAPS, configMap(namespace, 'one'))
    await client.mergePatch(CONFIG_MAPS, ref, { data: { changed: 'meanwhile' } })

    const { resourceVersion } = made.metadata
    await expect(client.replace(CONFIG_MAPS, made)).rejects.toBeInstanceOf(Conflict)
    const stale = { metadata: { resourceVersion }, data: {} }
    await expect(client.mergePatch(CONFIG_MAPS, ref, stale)).rejects.toBeInstanceOf(Conflict)
    await expect(client.remove(CONFIG_MAPS, ref, { uid: 'other' })).rejects.toBeInstanceOf(Conflict)
    await expect(
      client.remove(CONFIG_MAPS, ref, { resourceVersion: resourceVersion! }),
    ).rejects.toBeInstanceOf(Conflict)
    const again = client.create(CONFIG_MAPS, configMap(namespace, 'one'))
    await expect(again).rejects.toBeInstanceOf(AlreadyExists)
    await expect(client.remove(CONFIG_MAPS, { namespace, name: 'no' })).rejects.toBeInstanceOf(
      NotFound,
    )

    const empty = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { namespace, name: 'x' },
      spec: { selector: { matchLabels: { a: 'b' } }, template: {} },
    }
    const error: unknown = await client.create(DEPLOYMENTS, empty).catch((each: unknown) => each)
    expect(error).toBeInstanceOf(Invalid)
    const fields = (error as Invalid).causes.map(cause => cause.field)
    expect(fields).toContain('spec.template.spec.containers')
  })

  test('warnings of the API server reach the callback', async () => {
    const namespace = await newNamespace()
    const spec = {
      replicas: 0,
      selector: { matchLabels: { a: 'b' } },
      template: {
        metadata: { labels: { a: 'b' } },
        spec: { containers: [{ name: 'c', image: 'i', unknownField: 1 }] },
      },
    }
    const metadata = { namespace, name: 'warned' }
    await client.create(DEPLOYMENTS, { apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec })
    expect(warnings).toContain('unknown field "spec.template.spec.containers[0].unknownField"')
  })
})

test('a list of 1,200 comes in pages, complete and each object once', async () => {
  const namespace = await newNamespace()
  const names = Array.from({ length: 1_200 }, (_, i) => `map-${i}`)
  await Promise.all(names.map(name => client.create(CONFIG_MAPS, configMap(namespace, name))))
  const labels = { namespace, fieldSelector: 'metadata.name!=kube-root-ca.crt' }

  const first = await client.list(CONFIG_MAPS, labels)
  expect(first.items).toHaveLength(500)
  expect(first.continue).toBeDefined()
  const all = await client.listAll(CONFIG_MAPS, labels)
  expect(all.items.map(item => item.metadata.name).sort()).toEqual([...names].sort())
  expect(all.items[0]).toMatchObject({ apiVersion: 'v1', kind: 'ConfigMap' })
  expect(all.continue).toBeUndefined()
})

describe('the reflector', () => {
  /** A client whose connections run through a door that the test can close. */
  async function behindDoor(to = connection) {
    const target = new URL(to.server)
    const sockets = new Set<Socket>()
    let closed = false
    const door = createServer(inner => {
      if (closed) {
        inner.destroy()
        return
      }
      const outer = connectTo(Number(target.port), target.hostname)
      for (const socket of [inner, outer]) {
        sockets.add(socket)
        socket.on('error', () => {})
        socket.on('close', () => {
          sockets.delete(socket)
          inner.destroy()
          outer.destroy()
        })
      }
      inner.pipe(outer).pipe(inner)
    })
    await new Promise<void>(resolve => door.listen(0, '127.0.0.1', resolve))
    const { port } = door.address() as AddressInfo
    const through = new KubeClient({ ...to, server: `https://127.0.0.1:${port}` })
    onTestFinished(async () => {
      await through.close()
      await new Promise(resolve => door.close(resolve))
    })
    return {
      through,
      close: () => {
        closed = true
        for (const socket of sockets) socket.destroy()
      },
      open: () => {
        closed = false
      },
    }
  }

  async function reflect(through: KubeClient, namespace: string) {
    const cache = new Cache<ConfigMap>({ indexes: { value: map => Object.values(map.data ?? {}) } })
    const news: ReflectorNews[] = []
    const seen: string[] = []
    cache.onChange((before, after) => {
      const name = (after ?? before)!.metadata.name
      const what = before === undefined ? 'add' : after === undefined ? 'delete' : 'update'
      if (name !== 'kube-root-ca.crt') seen.push(`${what} ${name}`)
    })
    const reflector = new Reflector({
      client: through,
      type: CONFIG_MAPS,
      cache,
      namespace,
      project: ({ apiVersion, kind, metadata, data }: ConfigMap): ConfigMap => {
        const { name, uid, resourceVersion } = metadata
        return {
          apiVersion,
          kind,
          metadata: {
            name,
            namespace,
            ...(uid === undefined ? {} : { uid }),
            ...(resourceVersion === undefined ? {} : { resourceVersion }),
          },
          ...(data === undefined ? {} : { data }),
        }
      },
      onNews: each => news.push(each),
    })
    const stop = new AbortController()
    const running = reflector.run(stop.signal)
    onTestFinished(async () => {
      stop.abort()
      await running
    })
    await cache.synced
    return { cache, seen, news }
  }

  test('sees add, update and delete', async () => {
    const namespace = await newNamespace()
    const ref = { namespace, name: 'one' }
    const { cache, seen } = await reflect(client, namespace)
    await client.create(CONFIG_MAPS, configMap(namespace, 'one', { a: 'x' }))
    await eventually(() => expect(cache.byIndex('value', 'x')).toHaveLength(1))
    const written = await client.mergePatch(CONFIG_MAPS, ref, { data: { a: 'y' } })
    await eventually(() => expect(cache.byIndex('value', 'y')).toHaveLength(1))
    expect(cache.get(namespace, 'one')?.metadata).toEqual({
      name: 'one',
      namespace,
      uid: written.metadata.uid,
      resourceVersion: written.metadata.resourceVersion,
    })
    await client.remove(CONFIG_MAPS, ref)
    await eventually(() => expect(seen).toEqual(['add one', 'update one', 'delete one']))
    expect(cache.byIndex('value', 'y')).toEqual([])
  })

  test('misses nothing that happens while it is cut off', async () => {
    const namespace = await newNamespace()
    const { through, close, open } = await behindDoor()
    for (const name of ['again', 'gone', 'kept']) {
      await client.create(CONFIG_MAPS, configMap(namespace, name))
    }
    const { cache, seen, news } = await reflect(through, namespace)
    const before = cache.get(namespace, 'again')!.metadata.uid
    await eventually(() => expect(news.map(each => each.what)).toContain('watching'))
    seen.length = 0

    close()
    await eventually(() => expect(news.map(each => each.what)).toContain('failed'))
    await client.remove(CONFIG_MAPS, { namespace, name: 'gone' })
    await client.remove(CONFIG_MAPS, { namespace, name: 'again' })
    await client.create(CONFIG_MAPS, configMap(namespace, 'again', { v: '2' }))
    open()

    await eventually(() => expect(seen).toEqual(['delete gone', 'delete again', 'add again']))
    expect(cache.get(namespace, 'again')!.metadata.uid).not.toBe(before)
    expect(news.filter(each => each.what === 'listed')).toHaveLength(1)
  })

  test('lists again where the API server no longer has its version, deletes included', async () => {
    const controlPlane = await startControlPlane()
    onTestFinished(() => controlPlane.stop())
    const own = await fromKubeconfig(controlPlane.kubeconfig)
    const direct = new KubeClient(own)
    onTestFinished(() => direct.close())
    const { through, close, open } = await behindDoor(own)
    const namespace = 'default'
    for (const name of ['gone', 'kept']) {
      await direct.create(CONFIG_MAPS, configMap(namespace, name))
    }
    const { seen, news, cache } = await reflect(through, namespace)
    const { resourceVersion } = cache
    seen.length = 0

    close()
    await eventually(() => expect(news.map(each => each.what)).toContain('failed'))
    await direct.remove(CONFIG_MAPS, { namespace, name: 'gone' })
    // A new API server remembers no changes from before its start.
    await controlPlane.stopComponent('kube-apiserver')
    await controlPlane.startComponent('kube-apiserver')
    const old = direct.watch(CONFIG_MAPS, { namespace, resourceVersion })
    await expect(old.next()).rejects.toBeInstanceOf(Gone)
    open()

    await eventually(() => expect(seen).toEqual(['delete gone']))
    expect(news.map(each => each.what)).toContain('expired')
    expect(news.filter(each => each.what === 'listed')).toHaveLength(2)
    await direct.create(CONFIG_MAPS, configMap(namespace, 'after'))
    await eventually(() => expect(seen).toEqual(['delete gone', 'add after']))
  })
})

describe('the lease', () => {
  const times = { durationMs: 2_000, renewDeadlineMs: 1_200, retryMs: 200 }

  /** A candidate that leads until it is told to stop; `at` notes what it does and when. */
  function candidate(namespace: string, identity: string, through = client) {
    const news: LeaseNews[] = []
    const spans: { from: number; to: number }[] = []
    const elector = new LeaderElector({
      client: through,
      namespace,
      name: 'leader',
      identity,
      ...times,
      onNews: each => news.push(each),
    })
    const stop = new AbortController()
    const running = elector.run(stop.signal, async signal => {
      const span = { from: performance.now(), to: Number.POSITIVE_INFINITY }
      spans.push(span)
      await new Promise<void>(resolve => signal.addEventListener('abort', () => resolve()))
      span.to = performance.now()
    })
    const end = async () => {
      stop.abort()
      await running
    }
    onTestFinished(end)
    return { elector, spans, end, news: () => news.map(each => each.what) }
  }

  test('passes on at once when the leader shuts down', async () => {
    const namespace = await newNamespace()
    const one = candidate(namespace, 'one')
    await eventually(() => expect(one.elector.isLeader()).toBe(true))
    const two = candidate(namespace, 'two')
    await eventually(() => expect(two.news()).toContain('following'))
    expect(two.elector.isLeader()).toBe(false)

    await one.end()
    const released = performance.now()
    expect(one.news()).toEqual(['leading', 'released'])
    expect(one.elector.isLeader()).toBe(false)
    await eventually(() => expect(two.spans).toHaveLength(1))
    expect(performance.now() - released).toBeLessThan(times.durationMs)
    expect(two.spans[0]!.from).toBeGreaterThanOrEqual(one.spans[0]!.to)
    const { spec } = await client.get(LEASES, { namespace, name: 'leader' })
    expect(spec).toMatchObject({ holderIdentity: 'two', leaseDurationSeconds: 2 })
    expect(spec?.renewTime).toMatch(/\.\d{6}Z$/)
  })

  test('a leader that cannot renew stops before another starts', async () => {
    const namespace = await newNamespace()
    const own = new KubeClient(connection)
    const one = candidate(namespace, 'one', own)
    await eventually(() => expect(one.elector.isLeader()).toBe(true))
    const two = candidate(namespace, 'two')
    await eventually(() => expect(two.news()).toContain('following'))

    await own.close()
    await eventually(() => expect(two.elector.isLeader()).toBe(true))
    expect(one.news()).toContain('lost')
    expect(one.spans).toHaveLength(1)
    expect(one.spans[0]!.to).toBeLessThan(two.spans[0]!.from)
  })

  test('a leader whose lease is taken away stops, and foreign writes alone do not matter', async () => {
    const namespace = await newNamespace()
    const ref = { namespace, name: 'leader' }
    const one = candidate(namespace, 'one')
    await eventually(() => expect(one.elector.isLeader()).toBe(true))
    await client.mergePatch(LEASES, ref, { metadata: { labels: { touched: 'yes' } } })
    const touched = await client.get(LEASES, ref)
    await vi.waitFor(async () => {
      const now = await client.get(LEASES, ref)
      expect(now.spec?.renewTime).not.toBe(touched.spec?.renewTime)
      expect(now.metadata.labels).toEqual({ touched: 'yes' })
    })
    expect(one.news()).toEqual(['leading'])

    await client.mergePatch(LEASES, ref, { spec: { holderIdentity: 'thief' } })
    await eventually(() => expect(one.news()).toContain('lost'))
    expect(one.spans[0]!.to).toBeLessThan(Number.POSITIVE_INFINITY)
    await eventually(() => expect(one.elector.isLeader()).toBe(true))
  })

  test('what the work throws ends the election and gives the lease back', async () => {
    const namespace = await newNamespace()
    const options = { client, namespace, name: 'leader', identity: 'one', ...times }
    const elector = new LeaderElector(options)
    const failing = elector.run(new AbortController().signal, async () => {
      throw new Error('bug')
    })
    await expect(failing).rejects.toThrow('bug')
    const { spec } = await client.get(LEASES, { namespace, name: 'leader' })
    expect(spec?.holderIdentity).toBeUndefined()
  })
})
