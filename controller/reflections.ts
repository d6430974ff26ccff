// How the controller watches: in the namespaces that it is to look at, told to log and counters.

import type { KubeObject } from '#api/kubernetes.ts'
import { groupOf } from '#core/ref.ts'
import type { Cache, Cached } from '#kube/cache.ts'
import type { KubeClient } from '#kube/client.ts'
import { reflectIn, reflectNamed } from '#kube/reflector.ts'
import type { Reflection, ReflectorNews } from '#kube/reflector.ts'
import { MUTATING_WEBHOOKS } from '#kube/resources.ts'
import type { ResourceType, WebhookConfiguration } from '#kube/resources.ts'
import type { WatchHooks } from './looking.ts'

/** Whom to watch with, where, and who is told. */
export interface ReflectOptions {
  readonly client: KubeClient
  /** What is watched; none: all. */
  readonly namespaces: readonly string[]
  readonly onNews: (resource: string, news: ReflectorNews) => void
}

/** Feeds a cache from one kind of object. */
export function reflect<T extends KubeObject, P extends Cached>(
  { client, namespaces, onNews }: ReflectOptions,
  type: ResourceType<T>,
  cache: Cache<P>,
  project: (object: T, before: P | undefined) => P,
): Reflection {
  const options = { client, type, cache, project }
  return reflectIn(namespaces, () => ({ ...options, onNews: news => onNews(type.plural, news) }))
}

/** The same for a kind that the cluster may lack. */
export function reflectOptional<T extends KubeObject, P extends Cached>(
  { client, namespaces, onNews }: ReflectOptions,
  {
    type,
    ...into
  }: {
    readonly type: ResourceType<T>
    readonly cache: Cache<P>
    readonly project: (object: T, before: P | undefined) => P
    readonly fieldSelector?: string
  },
  { onListed, onUnlisted, endsOn }: WatchHooks,
): Reflection {
  const unlisted = new Set<string | undefined>(namespaces.length === 0 ? [undefined] : namespaces)
  return reflectIn(namespaces, namespace => ({
    client,
    type,
    ...into,
    endsOn,
    onNews(news) {
      onNews(optionalName(type), news)
      if (news.what === 'failed') onUnlisted(news.error)
      if (news.what === 'listed' && unlisted.delete(namespace) && unlisted.size === 0) onListed()
    },
  }))
}

/** How news name a kind that the cluster may lack: of a plural there may be several. */
export function optionalName({
  apiVersion,
  plural,
}: Pick<ResourceType, 'apiVersion' | 'plural'>): string {
  return apiVersion.includes('/') ? `${plural}.${groupOf({ apiVersion })}` : plural
}

/** Feeds a cache from one webhook configuration. */
export function reflectConfiguration(
  { client, onNews }: ReflectOptions,
  name: string,
  cache: Cache<WebhookConfiguration>,
): Reflection {
  const type = MUTATING_WEBHOOKS
  return reflectNamed({ client, type, cache, name, onNews: news => onNews(type.plural, news) })
}
