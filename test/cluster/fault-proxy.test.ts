// The proxy that makes requests fail does what it says: else a test that relies on it proves nothing.

import { afterAll, beforeAll, beforeEach, expect, inject, onTestFinished, test } from 'vitest'

import type { KubeObject } from '#api/kubernetes.ts'
import { KubeClient } from '#kube/client.ts'
import { NotFound, Retryable } from '#kube/errors.ts'
import { fromKubeconfig } from '#kube/kubeconfig.ts'
import { DEPLOYMENTS, LEASES, NAMESPACES, SECRETS } from '#kube/resources.ts'
import { startFaultProxy } from './fault-proxy.ts'
import type { Exchange, FaultProxy, FaultProxyOptions } from './fault-proxy.ts'
import { workloadOf } from './manifests.ts'
import { asOf } from './proxied-request.ts'
import { eventually } from './eventually.ts'

let proxy: FaultProxy
let client: KubeClient
beforeAll(async () => {
  proxy = await startFaultProxy(inject('cluster').kubeconfig)
  client = new KubeClient(await fromKubeconfig(proxy.kubeconfig))
})
beforeEach(() => {
  proxy.fault = () => undefined
})
afterAll(async () => {
  await client?.close()
  await proxy?.stop()
})

async function newNamespace(): Promise<string> {
  const name = `proxy-${Math.random().toString(36).slice(2, 10)}`
  await client.create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
  onTestFinished(() => client.remove(NAMESPACES, { name }))
  return name
}

function secret(namespace: string, name: string): KubeObject {
  return { apiVersion: 'v1', kind: 'Secret', metadata: { namespace, name } }
}

async function exists(namespace: string, name: string): Promise<boolean> {
  const found = client.get(SECRETS, { namespace, name })
  return found.then(
    () => true,
    error => (error instanceof NotFound ? false : Promise.reject(error as Error)),
  )
}

test('each request is numbered, and said in the words of RBAC', async () => {
  const namespace = await newNamespace()
  const [before, written] = [proxy.requests.length, proxy.writes()]
  await client.create(SECRETS, secret(namespace, 'one'))
  await client.list(SECRETS, { namespace })
  const lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' }
  await client.create(LEASES, { ...lease, metadata: { namespace, name: 'one' } })
  await client.mergePatch(SECRETS, { namespace, name: 'one' }, { data: { a: 'YQ==' } })
  await client.mergePatch(NAMESPACES, { name: namespace }, {}, { subresource: 'status' })
  const asked = proxy.requests.slice(before)
  const words = asked.map(({ verb, resource: kind, name, subresource }) =>
    [verb, kind, name, subresource].filter(each => each !== undefined).join(' '),
  )
  expect(words).toEqual([
    'create secrets',
    'list secrets',
    'create leases',
    'patch secrets one',
    `patch namespaces ${namespace} status`,
  ])
  const writes = asked.map(({ write }) => write && write - written)
  expect(writes).toEqual([1, undefined, undefined, 2, 3])
  expect(asked.map(each => each.number - before)).toEqual([1, 2, 3, 4, 5])
  expect(JSON.parse(asked[3]!.body)).toEqual({ data: { a: 'YQ==' } })
})

test('a request that is cut never arrives, one whose answer is lost does', async () => {
  const namespace = await newNamespace()
  const moments: boolean[] = []
  const meanwhile = async () => void moments.push(await exists(namespace, 'one'))
  for (const type of ['cut', 'lose'] as const) {
    proxy.fault = ({ verb }) => (verb === 'create' ? { type, meanwhile } : undefined)
    const created = client.create(SECRETS, secret(namespace, 'one'))
    await expect(created, type).rejects.toBeInstanceOf(Retryable)
  }
  // What is done at the moment of the fault sees the world as it is then.
  expect(moments).toEqual([false, true])
})

test('the proxy answers in place of the API server, or not at all', async () => {
  const namespace = await newNamespace()
  const headers = { 'retry-after': '7' }
  proxy.fault = () => ({ type: 'answer', status: 429, headers, body: { kind: 'Status' } })
  const refused = client.create(SECRETS, secret(namespace, 'one'))
  await expect(refused).rejects.toMatchObject({ code: 429, retryAfterMs: 7000 })
  proxy.fault = () => ({ type: 'hang' })
  const unheard = client.create(SECRETS, secret(namespace, 'one'), { timeoutMs: 200 })
  await expect(unheard).rejects.toThrow('no answer within 200 ms')
  proxy.fault = () => undefined
  expect(await exists(namespace, 'one')).toBe(false)
})

async function watched(namespace: string) {
  const { resourceVersion } = await client.list(SECRETS, { namespace })
  // Those may still end.
  const before = new Set(proxy.open())
  const events = client.watch(SECRETS, { namespace, resourceVersion })
  const next = events.next()
  // A watch that fails while nobody waits for it must not end the tests.
  next.catch(() => {})
  const its = () => proxy.open().filter(each => !before.has(each))
  await eventually(() => expect(its()).toHaveLength(1))
  return { events, next, exchange: its()[0] as Exchange }
}

test('what a watch brings is held back and let through, as if a peer had vanished for a while', async () => {
  const namespace = await newNamespace()
  const { next, events, exchange } = await watched(namespace)
  let came = false
  void next.then(() => (came = true))
  exchange.freeze()
  await client.create(SECRETS, secret(namespace, 'one'))
  const { exchange: other, next: seen } = await watched(namespace)
  await client.create(SECRETS, secret(namespace, 'two'))
  expect((await seen).value).toMatchObject({ object: { metadata: { name: 'two' } } })
  expect(came).toBe(false)
  exchange.thaw()
  const { value } = await next
  const names = [value, (await events.next()).value]
  expect(names).toMatchObject([
    { type: 'ADDED', object: { metadata: { name: 'one' } } },
    { type: 'ADDED', object: { metadata: { name: 'two' } } },
  ])
  exchange.end()
  other.end()
})

test('a watch is reset, ended, or made to bring what nobody sent', async () => {
  const namespace = await newNamespace()
  const broken = await watched(namespace)
  broken.exchange.reset()
  await expect(broken.next).rejects.toThrow('ECONNRESET')
  const ended = await watched(namespace)
  ended.exchange.end()
  expect(await ended.next).toMatchObject({ done: true })
  const garbled = await watched(namespace)
  garbled.exchange.send('{"type":\n')
  await expect(garbled.next).rejects.toThrow('a line that is not a JSON object')
  await eventually(() => expect(proxy.open()).toEqual([]))
})

test('chosen lines of a watch are lost, and what comes after them is not', async () => {
  const namespace = await newNamespace()
  const { next, exchange } = await watched(namespace)
  exchange.sift(line => !line.includes('"name":"lost"'))
  await client.create(SECRETS, secret(namespace, 'lost'))
  await client.create(SECRETS, secret(namespace, 'kept'))
  expect((await next).value).toMatchObject({ object: { metadata: { name: 'kept' } } })
  exchange.end()
})

test('a list is given as it was', async () => {
  const namespace = await newNamespace()
  await client.create(SECRETS, secret(namespace, 'one'))
  const { resourceVersion } = await client.list(SECRETS, { namespace })
  await client.create(SECRETS, secret(namespace, 'two'))
  await client.remove(SECRETS, { namespace, name: 'one' })
  proxy.fault = ({ path }) => ({ type: 'instead', path: asOf(path, BigInt(resourceVersion)) })
  const then = await client.listAll(SECRETS, { namespace, limit: 1 })
  expect(then.items.map(({ metadata }) => metadata.name)).toEqual(['one'])
  expect(then.resourceVersion).toBe(resourceVersion)
})

test('a client sees one namespace alone where the proxy is told so', async () => {
  const namespaces = [await newNamespace(), await newNamespace()]
  for (const each of namespaces) {
    await client.create(DEPLOYMENTS, workloadOf(each, { replicas: 0 }))
  }
  const seen = async (options: FaultProxyOptions) => {
    const narrow = await startFaultProxy(inject('cluster').kubeconfig, options)
    const through = new KubeClient(await fromKubeconfig(narrow.kubeconfig))
    onTestFinished(async () => {
      await through.close()
      await narrow.stop()
    })
    const { items } = await through.listAll(DEPLOYMENTS)
    return items.map(({ metadata }) => metadata.namespace)
  }
  expect(await seen({})).toEqual(expect.arrayContaining(namespaces))
  expect(await seen({ onlyNamespace: namespaces[1]! })).toEqual([namespaces[1]])
})
