// What requests are moved by, and need not be there: each kind is looked for, and watched, from the moment on at
// which somebody needs it.

import type { KubeObject } from '#api/kubernetes.ts'
import type { KindRef } from '#core/ref.ts'
import { Cache } from '#kube/cache.ts'
import type { Cached, Indexer } from '#kube/cache.ts'
import type { ResourceType } from '#kube/resources.ts'
import { rightInWords } from '#process/findings.ts'
import { untilAborted } from '#process/program.ts'
import type { Right } from '#process/rights.ts'
import { lookFor } from './looking.ts'
import { reflectOptional } from './reflections.ts'
import type { ReflectOptions } from './reflections.ts'

/** Objects of one kind. */
export interface Sought<P extends Cached> {
  readonly cache: Cache<P>
  /** Somebody needs it. */
  readonly need: () => void
  /** It is looked for again where it was not there. */
  readonly lookAgain: () => void
  /** Nothing is known of it yet. */
  readonly open: () => boolean
  /** The cluster does not have the kind. */
  readonly unserved: () => boolean
  /** Why it has not been read; undefined: it has, or there is none. */
  readonly unread: () => string | undefined
  /** Runs until the signal aborts. */
  readonly run: (signal: AbortSignal) => Promise<void>
}

/** What is looked for. */
export interface Seeking<T extends KubeObject, P extends Cached> {
  readonly type: ResourceType<T>
  readonly project: (object: T) => P
  readonly rights: readonly Right[]
  /** In a sentence. */
  readonly name: string
  /** That object alone. */
  readonly only?: string
  /** Somebody waits for it, where it is not there; always unless given. */
  readonly named?: () => boolean
  /** By what they are found beside their names. */
  readonly indexes?: Readonly<Record<string, Indexer<P>>>
}

/** How. */
export interface SoughtOptions extends ReflectOptions {
  /** Called with what has changed, and the keys of those whose requests it moves; nothing: it may be anything. */
  readonly wake: (changed?: string, keys?: readonly string[]) => void
  readonly onListenerError: (error: unknown) => void
}

/** Nothing is asked before somebody needs it. */
export function seek<T extends KubeObject, P extends Cached>(
  options: SoughtOptions,
  { type, project, rights, name, only, named = () => true, indexes = {} }: Seeking<T, P>,
): Sought<P> {
  const { client, namespaces, onListenerError, wake } = options
  const cache = new Cache<P>({ indexes, namespaces, onListenerError })
  const needed = Promise.withResolvers<void>()
  const fieldSelector = only === undefined ? {} : { fieldSelector: `metadata.name=${only}` }
  const ref: KindRef = type
  const looking = lookFor({
    client,
    ref,
    registered: {
      reflect: hooks => reflectOptional(options, { type, cache, project, ...fieldSelector }, hooks),
      forget: () => cache.replace([], ''),
      rights,
    },
    named,
    onChange: () => wake(),
  })
  return {
    cache,
    need: () => needed.resolve(),
    lookAgain: looking.lookAgain,
    open: () => looking.presence().is === 'open',
    unserved: () => looking.presence().is === 'unserved',
    unread() {
      const presence = looking.presence()
      if (presence.is !== 'unread') return undefined
      const { missing, why } = presence
      if (missing.length === 0) return `${name} cannot be read: ${why}`
      return `rights are missing for ${name}: ${missing.map(rightInWords).join('; ')}`
    },
    async run(signal) {
      await Promise.race([needed.promise, untilAborted(signal)])
      if (!signal.aborted) await looking.run(signal)
    },
  }
}
