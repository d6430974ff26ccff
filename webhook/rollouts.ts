// The Rollouts as the webhook knows them: a cache that a watch fills, and whether reviews may come before
// it is full.
// Where Rollouts may be stored in the older version, the API server needs a webhook to read them, and it
// reaches none that is not ready: one that waited for its cache there would wait for ever.

import { API_VERSION, GROUP } from '#api/names.ts'
import type { Rollout } from '#api/rollout.generated.ts'
import { workloadKey } from '#core/rollout/key.ts'
import { Cache } from '#kube/cache.ts'
import type { KubeClient } from '#kube/client.ts'
import { reflectIn, reflectNamed } from '#kube/reflector.ts'
import { CUSTOM_RESOURCES, ROLLOUTS, ROLLOUTS_DEFINITION } from '#kube/resources.ts'
import type { CustomResource, ResourceType } from '#kube/resources.ts'
import { tellFailedWatch } from '#process/watches.ts'
import type { CertificateOptions } from './certificate.ts'

/** What is known of the Rollouts. */
export interface RolloutWatch {
  /** With the index `workload`. */
  readonly rollouts: Cache<Rollout>
  /** All of them are in the cache: one that it lacks is not there, or has just been made. */
  readonly allKnown: () => boolean
  /** The watch is open: a new one would be heard of. */
  readonly watching: () => boolean
  /** Reviews may come: what the cache does not know yet is asked of the API server, review by review. */
  readonly answerable: () => boolean
  /** Watches until the signal aborts. Fulfilled when reviews may come, or never will. */
  readonly begin: (signal: AbortSignal) => Promise<void>
}

/** Rollouts, in the version that we read. */
export const rolloutType = ROLLOUTS as ResourceType<Rollout>

/** Makes the watch; nothing is read before it begins. */
export function createRolloutWatch(options: CertificateOptions): RolloutWatch {
  const { client, config, log, metrics } = options
  const { namespaces = [] } = config
  /** Namespaces whose watch is open; undefined stands for all. */
  const watching = new Set<string | undefined>()
  const cache = new Cache<Rollout>({
    namespaces,
    indexes: { workload: rollout => [workloadKey(rollout)] },
    onListenerError: error => log.error({ err: error }, 'a listener failed'),
  })
  const reflection = reflectIn<Rollout, Rollout>(namespaces, namespace => ({
    client,
    type: rolloutType,
    cache,
    project: rollout => rollout,
    onNews: news => {
      metrics.watch(rolloutType.plural, news.what)
      if (news.what === 'watching') watching.add(namespace)
      else if (news.what !== 'unreadable') watching.delete(namespace)
      if (news.what === 'failed') tellFailedWatch(log, rolloutType.plural, news)
    },
  }))
  const older = createOlderWatch(client, options)
  let full = false
  return {
    rollouts: cache,
    allKnown: () => full,
    watching: () => watching.size === Math.max(1, namespaces.length),
    answerable: () => full || older.stored(),
    async begin(signal) {
      const filled = new AbortController()
      const running = reflection.run(signal)
      const first = cache.synced.then(() => {
        full = true
        filled.abort()
      })
      await Promise.race([first, running, older.begin(AbortSignal.any([signal, filled.signal]))])
    },
  }
}

/** Whether Rollouts may be stored in another version than the one that we read. */
interface OlderWatch {
  readonly stored: () => boolean
  /** Watches until the signal aborts; fulfilled then, or when they may be. */
  readonly begin: (signal: AbortSignal) => Promise<void>
}

function createOlderWatch(
  client: KubeClient,
  { log, metrics }: Pick<CertificateOptions, 'log' | 'metrics'>,
): OlderWatch {
  const cache = new Cache<CustomResource>()
  const type = CUSTOM_RESOURCES
  const stored = () => cache.list().some(storesOlder)
  return {
    stored,
    async begin(signal) {
      const found = new Promise<void>(resolve => {
        const end = cache.onChange((_, after) => {
          if (!after || !storesOlder(after)) return
          log.warn({ definition: ROLLOUTS_DEFINITION }, STORED_OLDER)
          end()
          resolve()
        })
      })
      const reflection = reflectNamed({
        client,
        type,
        cache,
        name: ROLLOUTS_DEFINITION,
        onNews: ({ what }) => metrics.watch(type.plural, what),
      })
      await Promise.race([found, reflection.run(signal)])
    },
  }
}

function storesOlder({ status }: CustomResource): boolean {
  return (status?.storedVersions ?? []).some(version => `${GROUP}/${version}` !== API_VERSION)
}

const STORED_OLDER =
  'Rollouts may be stored in an older version, which only a webhook that is ready can convert: ready before they are read; see docs/reference/v1alpha1.md'
