// A reflector under test, with a handler that keeps a world of its own from nothing but what it is
// told. In the end cache, handler and a fresh list must be one and the same.

import { expect, onTestFinished } from 'vitest'

import type { KubeObject } from '#api/kubernetes.ts'
import { defined } from '#core/defined.ts'
import { Cache } from '#kube/cache.ts'
import type { KubeClient } from '#kube/client.ts'
import { Reflector } from '#kube/reflector.ts'
import type { ReflectorNews, ReflectorOptions } from '#kube/reflector.ts'
import { NAMESPACES, resource } from '#kube/resources.ts'
import type { ResourceType } from '#kube/resources.ts'
import { eventually } from './eventually.ts'

/** `v1` ConfigMap. */
export interface ConfigMap extends KubeObject {
  readonly data?: Readonly<Record<string, string>>
}

/** `v1` ConfigMaps. */
export const CONFIG_MAPS = resource<ConfigMap>('v1', 'configmaps', 'ConfigMap')

/** A ConfigMap to be created. */
export function configMap(
  namespace: string,
  name: string,
  data: Readonly<Record<string, string>> = {},
): ConfigMap {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace, name }, data }
}

/** A namespace of its own for one test. */
export async function newNamespace(client: KubeClient): Promise<string> {
  const name = `kube-${Math.random().toString(36).slice(2, 10)}`
  await client.create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
  onTestFinished(() => client.remove(NAMESPACES, { name }))
  return name
}

/** A reflector that runs until the test ends. */
export interface Reflection {
  readonly cache: Cache<ConfigMap>
  readonly news: readonly ReflectorNews[]
  /** How often each kind of news came. */
  readonly count: (what: ReflectorNews['what']) => number
  /** What the handler was told of the objects of the test, as in `add one`. */
  readonly seen: string[]
  /** Waits until cache and handler hold what a list by this client holds, and nothing was skipped. */
  readonly caughtUp: (direct: KubeClient) => Promise<void>
}

/** What may differ between reflectors; an index `value` finds ConfigMaps by their data. */
export type ReflectionOptions = Pick<
  ReflectorOptions<ConfigMap, ConfigMap>,
  'client' | 'namespace' | 'idleMs' | 'watchSeconds'
> & { readonly type?: ResourceType<ConfigMap> }

/** Starts a reflector, and waits for its first list and its first watch. */
export async function reflect(options: ReflectionOptions): Promise<Reflection> {
  const cache = new Cache<ConfigMap>({ indexes: { value: map => Object.values(map.data ?? {}) } })
  const news: ReflectorNews[] = []
  const seen: string[] = []
  const told = listen(cache, seen)
  const reflector = new Reflector({
    type: CONFIG_MAPS,
    ...options,
    cache,
    project: kept,
    onNews: each => news.push(each),
    random: () => 0,
  })
  const stop = new AbortController()
  const running = reflector.run(stop.signal)
  onTestFinished(async () => {
    stop.abort()
    await running
  })
  const count: Reflection['count'] = what => news.filter(each => each.what === what).length
  // One that ends soon may have begun again by now.
  await eventually(() => expect(count('watching')).toBeGreaterThanOrEqual(1))
  return {
    cache,
    news,
    count,
    seen,
    caughtUp: direct =>
      eventually(async () => {
        const { type = CONFIG_MAPS, namespace } = options
        const { items } = await direct.listAll(type, namespace === undefined ? {} : { namespace })
        expect(byUid(cache.list())).toEqual(byUid(items.map(kept)))
        expect(byUid([...told.world.values()])).toEqual(byUid(cache.list()))
        expect(told.nonsense).toEqual([])
      }),
  }
}

/** Keeps what a handler knows who believes what it is told, and what it cannot believe. */
function listen(cache: Cache<ConfigMap>, seen: string[]) {
  const world = new Map<string | undefined, ConfigMap>()
  const nonsense: string[] = []
  cache.onChange((before, after) => {
    const { name, uid } = (after ?? before)!.metadata
    const what = whatIs(before, after)
    if (name !== 'kube-root-ca.crt') seen.push(`${what} ${name}`)
    if (world.get(uid)?.metadata.resourceVersion !== before?.metadata.resourceVersion) {
      nonsense.push(`${what} ${name} from what was not told`)
    }
    const namesake = [...world.values()].find(each => each.metadata.name === name)
    if (what === 'add' && namesake) nonsense.push(`add ${name} beside another of that name`)
    if (after) world.set(uid, after)
    else world.delete(uid)
  })
  return { world, nonsense }
}

function whatIs(before?: ConfigMap, after?: ConfigMap): 'add' | 'update' | 'delete' {
  if (before === undefined) return 'add'
  return after === undefined ? 'delete' : 'update'
}

function kept({ apiVersion, kind, metadata, data }: ConfigMap): ConfigMap {
  const { name, namespace, uid, resourceVersion } = metadata
  return defined({
    apiVersion,
    kind,
    metadata: defined({ name, namespace, uid, resourceVersion }),
    data,
  })
}

function byUid(maps: readonly ConfigMap[]): readonly ConfigMap[] {
  return maps.toSorted((a, b) => (a.metadata.uid ?? '').localeCompare(b.metadata.uid ?? ''))
}
