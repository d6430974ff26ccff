// Facts about what is watched: looked at whenever it changes, and never in between.

import type { KubeObject } from '#api/kubernetes.ts'
import type { Cache, Cached } from '#kube/cache.ts'
import type { Page } from '#kube/requests.ts'

const patienceMs = 120_000

/** Waits until the fact holds. Throws how things stand when it does not come. */
export async function untilSeen(
  caches: readonly Pick<Cache<Cached>, 'onChange'>[],
  fact: () => boolean,
  standing: () => string,
): Promise<void> {
  if (fact()) return
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const look = () => {
    if (fact()) resolve()
  }
  const late = setTimeout(() => reject(new Error(standing())), patienceMs)
  const ends = caches.map(cache => cache.onChange(look))
  try {
    await promise
  } finally {
    clearTimeout(late)
    for (const end of ends) end()
  }
}

/** Waits until a cache knows what was written: its version is that of the write, or later. */
export async function caughtUp(
  cache: Pick<Cache<Cached>, 'onChange' | 'resourceVersion'>,
  resourceVersion = '0',
): Promise<void> {
  const written = BigInt(resourceVersion)
  const known = () => BigInt(cache.resourceVersion || '0') >= written
  await untilSeen([cache], known, () => `the watch does not come to version ${written}`)
}

/** Waits until a cache knows the objects of a namespace as they were listed, or later. */
export async function knows(
  cache: Pick<Cache<Cached>, 'onChange' | 'resourceVersion' | 'list'>,
  namespace: string,
  { items, resourceVersion }: Page<KubeObject>,
): Promise<void> {
  const uids = new Set(items.map(({ metadata }) => metadata.uid))
  const versions = items.map(({ metadata }) => Number(metadata.resourceVersion))
  const newest = Math.max(0, ...versions)
  // One that was not listed is later, or gone and not yet known to be.
  const isLate = ({ metadata }: Cached) =>
    uids.has(metadata.uid) || Number(metadata.resourceVersion) > Number(resourceVersion)
  const known = () =>
    Number(cache.resourceVersion) >= newest &&
    cache.list().every(each => each.metadata.namespace !== namespace || isLate(each))
  await untilSeen([cache], known, () => `the watch does not know what is listed in ${namespace}`)
}
