// What came first, by the versions in which the API server stored it: of two watches either may be late.

import type { KubeObject } from '#api/kubernetes.ts'
import { Cache } from '#kube/cache.ts'
import { Reflector } from '#kube/reflector.ts'
import { REPLICA_SETS } from '#kube/resources.ts'
import type { ResourceType } from '#kube/resources.ts'
import type { Story } from './story.ts'

/** Something that is waited for. */
interface Awaited {
  /** The version in which it was first so. */
  readonly version: Promise<bigint>
}

/** Watches for the fact about an object of the namespace from now on; one that was deleted is undefined. */
export async function firstTime<T extends KubeObject>(
  { client, namespace }: Story,
  type: ResourceType<T>,
  fact: (name: string, object: T | undefined) => boolean,
): Promise<Awaited> {
  const cache = new Cache<T>()
  const end = new AbortController()
  const { promise, resolve } = Promise.withResolvers<bigint>()
  cache.onChange((before, after) => {
    if (!fact((after ?? before)!.metadata.name, after)) return
    resolve(BigInt(cache.resourceVersion))
    end.abort()
  })
  const project = (object: T) => object
  void new Reflector({ client, namespace, type, cache, project }).run(end.signal)
  await cache.synced
  return { version: promise }
}

/** Fewer pods of an image are asked for. */
export function fewerThan(story: Story, count: number, image: string): Promise<Awaited> {
  return firstTime(story, REPLICA_SETS, (_, set) => {
    const runs = set !== undefined && JSON.stringify(set.spec.template).includes(`"${image}"`)
    return runs && (set.spec.replicas ?? 1) < count
  })
}
