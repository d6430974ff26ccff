// Keeps a cache equal to what the API server holds: a list, then a watch from where the list ended,
// for ever. Whatever breaks, the loop goes on from the last version seen, or lists again.
import type { KubeObject } from '#api/kubernetes.ts'
import { backoffMs, pause } from './backoff.ts'
import type { Cache, Cached } from './cache.ts'
import type { KubeClient } from './client.ts'
import { Gone, Retryable } from './errors.ts'
import type { Scope } from './requests.ts'
import type { ResourceType } from './resources.ts'
import type { WatchEvent } from './watch.ts'

/** All that a reflector tells of. */
export const reflectorNews = [
  'listed',
  'watching',
  'expired',
  'failed',
  'unreadable',
] as const satisfies readonly ReflectorNews['what'][]

/** What a reflector tells its owner, for the log and for counters; `lastsMs`: since the first failure in a row. */
export type ReflectorNews =
  | { readonly what: 'listed'; readonly items: number; readonly resourceVersion: string }
  | { readonly what: 'watching'; readonly resourceVersion: string }
  | { readonly what: 'expired'; readonly error: unknown }
  | {
      readonly what: 'failed'
      readonly error: unknown
      readonly retryInMs: number
      readonly lastsMs: number
    }
  | { readonly what: 'unreadable'; readonly error: unknown; readonly name: string }

/** How a reflector is made. */
export interface ReflectorOptions<T extends KubeObject, P extends Cached> extends Scope {
  readonly client: KubeClient
  readonly type: ResourceType<T>
  readonly cache: Cache<P>
  /**
   * Picks what is kept of an object; must keep name, namespace, uid and resourceVersion. `before` is
   * what is kept under its name so far: what cannot have changed need not be computed again.
   */
  readonly project: (object: T, before: P | undefined) => P
  readonly onNews?: (news: ReflectorNews) => void
  /** Whether an error ends the run; without it none does. */
  readonly endsOn?: (error: unknown) => boolean
  readonly random?: () => number
  /** Seconds after which the server is to end a watch: random between these, 240 to 480. */
  readonly watchSeconds?: { readonly min: number; readonly max: number }
  /** See `WatchOptions.idleMs`. */
  readonly idleMs?: number
}

const BACKOFF = { baseMs: 500, capMs: 10_000 }
/** Replicas and kinds that started together do not all watch anew together. */
const WATCH_SECONDS = { min: 240, max: 480 }
/** A watch that ends sooner without an event is a failure, or the loop would spin. */
const SOUND_WATCH_MS = 5_000

/** Feeds one cache from one kind of object. */
export class Reflector<T extends KubeObject, P extends Cached> {
  readonly #options: ReflectorOptions<T, P>
  readonly #random: () => number
  /** Where the next watch starts; undefined when a list is due. */
  #version: string | undefined
  #failures = 0
  /** When the first of them was, on the monotonic clock. */
  #failingSince = 0
  /** A version was found too old, and nothing has come since. */
  #expired = false

  constructor(options: ReflectorOptions<T, P>) {
    this.#options = options
    this.#random = options.random ?? Math.random
  }

  /** Runs until the signal aborts; throws for what the API server does where `endsOn` says so. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        if (this.#version === undefined) await this.#list(signal)
        else await this.#watch(this.#version, signal)
      } catch (error) {
        if (signal.aborted) return
        if (this.#options.endsOn?.(error) === true) throw error
        await this.#recover(error, signal)
      }
    }
  }

  async #list(signal: AbortSignal): Promise<void> {
    const { client, type, cache } = this.#options
    const read = (object: T) => this.#read(object)
    const page = await client.listProjected(type, { ...this.#scope(), signal }, read)
    const items = page.items.filter(item => item !== undefined)
    cache.replace(items, page.resourceVersion, this.#options.namespace)
    this.#version = page.resourceVersion
    this.#tell({ what: 'listed', items: items.length, resourceVersion: page.resourceVersion })
  }

  async #watch(resourceVersion: string, signal: AbortSignal): Promise<void> {
    const { client, type, watchSeconds = WATCH_SECONDS, idleMs } = this.#options
    const { min, max } = watchSeconds
    const timeoutSeconds = Math.round(min + this.#random() * (max - min))
    const events = client.watch(type, {
      ...this.#scope(),
      resourceVersion,
      signal,
      timeoutSeconds,
      ...(idleMs === undefined ? {} : { idleMs }),
      onOpen: () => this.#tell({ what: 'watching', resourceVersion }),
    })
    const openedAt = performance.now()
    let sound = false
    for await (const event of events) {
      sound = true
      this.#wentWell()
      this.#apply(event)
    }
    if (sound || performance.now() - openedAt >= Math.min(SOUND_WATCH_MS, min * 1000)) {
      this.#wentWell()
      return
    }
    throw new Error(`the watch of ${type.plural} ended at once, without an event`)
  }

  #wentWell(): void {
    this.#failures = 0
    this.#expired = false
  }

  #apply(event: WatchEvent<T>): void {
    const { cache } = this.#options
    if (event.type === 'BOOKMARK') {
      this.#version = event.resourceVersion
      cache.advance(event.resourceVersion)
      return
    }
    const { metadata } = event.object
    const version = metadata.resourceVersion ?? ''
    this.#version = version
    if (event.type === 'DELETED') {
      cache.remove(metadata, version)
      return
    }
    const item = this.#read(event.object)
    if (item === undefined) cache.advance(version)
    else cache.put(item, version)
  }

  /** Projects an object; one that cannot be read is told and keeps its former place. */
  #read(object: T): P | undefined {
    const { cache, project } = this.#options
    const { namespace, name } = object.metadata
    const before = cache.get(namespace, name)
    try {
      return project(object, before)
    } catch (error) {
      this.#tell({ what: 'unreadable', error, name: `${namespace ?? ''}/${name}` })
      return before
    }
  }

  async #recover(error: unknown, signal: AbortSignal): Promise<void> {
    if (this.#failures === 0) this.#failingSince = performance.now()
    this.#failures += 1
    if (error instanceof Gone) {
      this.#version = undefined
      this.#tell({ what: 'expired', error })
      // The first time nothing is wrong: the version was only old. List at once, also after failures:
      // an API server that takes up a changed CRD ends the watches, and has forgotten their versions.
      const again = this.#expired
      this.#expired = true
      if (!again) return
    }
    const asked = error instanceof Retryable ? (error.retryAfterMs ?? 0) : 0
    const retryInMs = asked + backoffMs(this.#failures, BACKOFF, this.#random)
    const lastsMs = performance.now() - this.#failingSince
    this.#tell({ what: 'failed', error, retryInMs, lastsMs })
    await pause(retryInMs, signal)
  }

  #scope(): Scope {
    const { namespace, labelSelector, fieldSelector } = this.#options
    return {
      ...(namespace === undefined ? {} : { namespace }),
      ...(labelSelector === undefined ? {} : { labelSelector }),
      ...(fieldSelector === undefined ? {} : { fieldSelector }),
    }
  }

  #tell(news: ReflectorNews): void {
    this.#options.onNews?.(news)
  }
}

/** How a reflector of one object is made. */
export interface NamedOptions<T extends KubeObject> extends Pick<
  ReflectorOptions<T, T>,
  'client' | 'type' | 'cache' | 'onNews'
> {
  /** Of an object without a namespace. */
  readonly name: string
}

/** Feeds one cache from the object of that name, and keeps all of it. */
export function reflectNamed<T extends KubeObject>({
  name,
  ...options
}: NamedOptions<T>): Reflection {
  const fieldSelector = `metadata.name=${name}`
  return new Reflector<T, T>({ ...options, fieldSelector, project: object => object })
}

/** A reflector, or several that feed the same cache. */
export interface Reflection {
  /** Runs until the signal aborts, or an error ends it. */
  readonly run: (signal: AbortSignal) => Promise<void>
}

/** Feeds one cache from the namespaces that are named, or from all where none is. */
export function reflectIn<T extends KubeObject, P extends Cached>(
  namespaces: readonly string[],
  optionsOf: (namespace: string | undefined) => ReflectorOptions<T, P>,
): Reflection {
  if (namespaces.length === 0) return new Reflector(optionsOf(undefined))
  const reflectors = namespaces.map(
    namespace => new Reflector({ ...optionsOf(namespace), namespace }),
  )
  return {
    async run(signal) {
      await Promise.all(reflectors.map(reflector => reflector.run(signal)))
    },
  }
}
