// The reflector against a server that breaks as no healthy API server would: each test scripts what
// the next list and watch answer.
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test, vi } from 'vitest'
import type { KubeObject } from '#api/kubernetes.ts'
import { Cache } from './cache.ts'
import { KubeClient } from './client.ts'
import { Retryable } from './errors.ts'
import { Reflector } from './reflector.ts'
import type { ReflectorNews } from './reflector.ts'
import { resource } from './resources.ts'

const CONFIG_MAPS = resource('v1', 'configmaps', 'ConfigMap')

type Answerer = (response: ServerResponse, request: IncomingMessage) => void
type Item = KubeObject

const cleanups: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

const item = (name: string, resourceVersion: string, uid = `uid-${name}`): Item => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'ns', uid, resourceVersion },
})

const listOf =
  (resourceVersion: string, ...items: Item[]): Answerer =>
  response =>
    void response.end(JSON.stringify({ items, metadata: { resourceVersion } }))

const event = (type: string, object: object) => `${JSON.stringify({ type, object })}\n`
const bookmark = (resourceVersion: string) =>
  event('BOOKMARK', { kind: 'ConfigMap', metadata: { resourceVersion } })

/** A watch that sends these bytes and stays open. */
const open =
  (...texts: string[]): Answerer =>
  response => {
    response.flushHeaders()
    for (const text of texts) response.write(text)
  }

const failure =
  (code: number, reason: string, headers = {}): Answerer =>
  response => {
    response.writeHead(code, headers)
    response.end(JSON.stringify({ kind: 'Status', reason, message: reason, code }))
  }

interface Script {
  readonly lists: Answerer[]
  readonly watches: Answerer[]
}

/** Runs a reflector against a script; what is not scripted is an empty list and a silent watch. */
async function reflect(script: Script, options: { idleMs?: number; broken?: string } = {}) {
  const asked: URL[] = []
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://server')
    asked.push(url)
    const watching = url.searchParams.has('watch')
    const next = watching ? (script.watches.shift() ?? open()) : script.lists.shift()
    ;(next ?? listOf('900'))(response, request)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  cleanups.push(async () => {
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
  })
  const client = new KubeClient({
    server: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    source: 'test',
    namespace: 'ns',
    tls: async () => ({}),
    headers: async () => ({}),
  })
  cleanups.push(() => client.close())

  const cache = new Cache<Item>()
  const seen: string[] = []
  const words = (each: Item | undefined) =>
    each && `${each.metadata.uid}@${each.metadata.resourceVersion}`
  cache.onChange((before, after) => seen.push(`${words(before) ?? '-'} > ${words(after) ?? '-'}`))
  const news: ReflectorNews[] = []
  const reflector = new Reflector({
    client,
    type: CONFIG_MAPS,
    cache,
    project: (object: Item) => {
      if (object.metadata.name === options.broken) throw new Error('unreadable')
      return object
    },
    onNews: each => news.push(each),
    random: () => 0,
    watchSeconds: { min: 300, max: 300 },
    ...(options.idleMs === undefined ? {} : { idleMs: options.idleMs }),
  })
  const stop = new AbortController()
  const running = reflector.run(stop.signal)
  cleanups.push(async () => {
    stop.abort()
    await running
  })
  const kinds = () => news.map(each => each.what)
  return { cache, seen, news, asked, kinds, stop, running }
}

const eventually = (fact: () => void) => vi.waitFor(fact, { timeout: 30_000, interval: 10 })
const watchVersions = (asked: readonly URL[]) =>
  asked.flatMap(url =>
    url.searchParams.has('watch') ? url.searchParams.get('resourceVersion') : [],
  )

test('a list, then the events of a watch from there', async () => {
  const { seen, asked, cache } = await reflect({
    lists: [listOf('10', item('a', '1'))],
    watches: [
      open(
        event('ADDED', item('b', '11')),
        event('MODIFIED', item('a', '12')),
        event('DELETED', item('b', '13')),
      ),
    ],
  })
  await eventually(() => expect(seen).toHaveLength(4))
  expect(seen).toEqual(['- > uid-a@1', '- > uid-b@11', 'uid-a@1 > uid-a@12', 'uid-b@11 > -'])
  expect(cache.resourceVersion).toBe('13')
  expect(asked[1]!.searchParams.get('allowWatchBookmarks')).toBe('true')
  expect(asked[1]!.searchParams.get('timeoutSeconds')).toBe('300')
})

test('after a broken connection the watch goes on from the last bookmark, without a list', async () => {
  const { asked, kinds } = await reflect({
    lists: [listOf('10')],
    watches: [
      response => {
        response.write(event('ADDED', item('a', '11')) + bookmark('50'))
        setTimeout(() => response.destroy(), 20)
      },
    ],
  })
  await eventually(() => expect(watchVersions(asked)).toEqual(['10', '50']))
  await eventually(() => expect(kinds()).toEqual(['listed', 'watching', 'failed', 'watching']))
})

test('a watch that the server has not opened is not told as one', async () => {
  const { kinds } = await reflect({ lists: [listOf('10')], watches: [failure(503, 'busy')] })
  await eventually(() => expect(kinds()).toEqual(['listed', 'failed', 'watching']))
})

test('garbage in a watch is an error, and nothing after it is lost', async () => {
  const { asked, seen, news } = await reflect({
    lists: [listOf('10')],
    watches: [
      open(event('ADDED', item('a', '11')), 'garbage\n', event('ADDED', item('b', '12'))),
      open(event('ADDED', item('b', '12'))),
    ],
  })
  await eventually(() => expect(seen).toEqual(['- > uid-a@11', '- > uid-b@12']))
  expect(watchVersions(asked)).toEqual(['10', '11'])
  const failed = news.find(each => each.what === 'failed')
  expect(String(failed?.error)).toContain('a line that is not a JSON object: garbage')
})

test.each<[string, Answerer]>([
  ['when a watch opens', failure(410, 'Expired')],
  ['inside a watch', open(event('ERROR', { kind: 'Status', code: 410, reason: 'Expired' }))],
])('410 %s lists again, and deletes of the gap are told', async (_, gone) => {
  const { seen, kinds, asked } = await reflect({
    lists: [
      listOf('10', item('a', '1'), item('b', '2')),
      listOf('99', item('a', '90', 'uid-new'), item('c', '91')),
    ],
    watches: [gone],
  })
  await eventually(() => expect(watchVersions(asked)).toEqual(['10', '99']))
  expect(seen).toEqual([
    '- > uid-a@1',
    '- > uid-b@2',
    'uid-b@2 > -',
    'uid-a@1 > -',
    '- > uid-new@90',
    '- > uid-c@91',
  ])
  expect(kinds()).not.toContain('failed')
})

test('410 after a failure lists at once, as where a changed CRD is taken up; 410 again waits', async () => {
  const ended: Answerer = response => void response.end()
  const { kinds } = await reflect({
    lists: [listOf('10'), listOf('20')],
    watches: [ended, failure(410, 'Expired'), failure(410, 'Expired')],
  })
  const first = ['listed', 'watching', 'failed', 'expired', 'listed']
  await eventually(() =>
    expect(kinds()).toEqual([...first, 'expired', 'failed', 'listed', 'watching']),
  )
})

test('429 is waited out as the server asks, and the list comes again', async () => {
  const { cache, news } = await reflect({
    lists: [failure(429, 'TooManyRequests', { 'retry-after': '1' }), listOf('10', item('a', '1'))],
    watches: [],
  })
  const begun = performance.now()
  await cache.synced
  expect(performance.now() - begun).toBeGreaterThan(900)
  expect(news[0]).toMatchObject({ what: 'failed', retryInMs: 1250 })
})

test('a connection that falls silent is left', async () => {
  const { asked, news } = await reflect(
    { lists: [listOf('10')], watches: [open(bookmark('20'))] },
    { idleMs: 300 },
  )
  await eventually(() => expect(watchVersions(asked)).toEqual(['10', '20']))
  const failed = news.find(each => each.what === 'failed')
  expect(failed?.error).toBeInstanceOf(Retryable)
  expect(String(failed?.error)).toMatch(/GET .*configmaps: .*timeout/i)
})

test('a watch that ends at once again and again does not spin', async () => {
  const ends: Answerer = response => void response.end()
  const { asked, news } = await reflect({ lists: [listOf('10')], watches: [ends, ends, ends] })
  await eventually(() => expect(watchVersions(asked)).toHaveLength(3))
  const waits = news.flatMap(each => (each.what === 'failed' ? each.retryInMs : []))
  expect(waits.slice(0, 2)).toEqual([250, 500])
  const [first, second] = news.flatMap(each => (each.what === 'failed' ? each.lastsMs : []))
  expect(first).toBeLessThan(200)
  expect(second! - first!).toBeGreaterThan(200)
})

test('an object that cannot be read keeps its place, is told, and stops nothing', async () => {
  const { seen, news } = await reflect(
    {
      lists: [listOf('10', item('poison', '1'), item('a', '2'))],
      watches: [open(event('MODIFIED', item('poison', '11')), event('ADDED', item('b', '12')))],
    },
    { broken: 'poison' },
  )
  await eventually(() => expect(seen).toEqual(['- > uid-a@2', '- > uid-b@12']))
  expect(news.filter(each => each.what === 'unreadable')).toHaveLength(2)
})

test('pages that compaction overtakes are read again as one list', async () => {
  const page: Answerer = response =>
    void response.end(
      JSON.stringify({
        items: [item('a', '1')],
        metadata: { resourceVersion: '10', continue: 'more' },
      }),
    )
  const { cache, asked } = await reflect({
    lists: [page, failure(410, 'Expired'), listOf('20', item('a', '1'), item('b', '2'))],
    watches: [],
  })
  await cache.synced
  expect(cache.size).toBe(2)
  expect(asked.slice(0, 3).map(url => url.searchParams.get('limit'))).toEqual(['500', '500', null])
})

test('stopping ends an open watch at once', async () => {
  const { stop, running, kinds } = await reflect({ lists: [], watches: [] })
  await eventually(() => expect(kinds()).toContain('watching'))
  stop.abort()
  await running
  expect(kinds()).not.toContain('failed')
})
