// Facts about what is watched: looked at whenever it changes, and never in between.

import type { Cache, Cached } from '#kube/cache.ts'

const patienceMs = 60_000

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
