// A kind that a cluster may lack: it is looked for, and watched for as long as it is served. What was not
// there is looked for again when a Rollout names it, and ever more seldom for as long as one does.

import { equalJson } from '#core/equal.ts'
import type { KindRef } from '#core/ref.ts'
import { backoffMs, pause } from '#kube/backoff.ts'
import type { Backoff } from '#kube/backoff.ts'
import type { KubeClient } from '#kube/client.ts'
import { findKind } from '#kube/discovery.ts'
import { Forbidden, NotFound } from '#kube/errors.ts'
import type { Reflection } from '#kube/reflector.ts'
import { untilAborted } from '#process/program.ts'
import { missingRights } from '#process/rights.ts'
import type { Right } from '#process/rights.ts'

/** What is known of a kind. */
export type Presence =
  /** Nothing yet. */
  | { readonly is: 'open' }
  | { readonly is: 'watched' }
  | { readonly is: 'unserved' }
  /** Nobody has told us to release it. */
  | { readonly is: 'unregistered'; readonly plural?: string }
  /** It is registered and served, and has not been read. */
  | { readonly is: 'unread'; readonly missing: readonly Right[]; readonly why: string }

/** What is told of a watch of the kind. */
export interface WatchHooks {
  /** All that is watched has been listed. */
  readonly onListed: () => void
  /** It has not been listed, and why; it is tried again. */
  readonly onUnlisted: (error: unknown) => void
  /** Whether an error ends the watch. */
  readonly endsOn: (error: unknown) => boolean
}

/** How a kind is looked for. */
export interface LookingOptions {
  readonly client: KubeClient
  readonly ref: Pick<KindRef, 'apiVersion' | 'kind'> & { readonly plural?: string }
  /** Undefined: it is not registered. */
  readonly registered?: Registered
  /** A Rollout names it. */
  readonly named: () => boolean
  /** Called when something else is known. */
  readonly onChange: (presence: Presence) => void
  /** Waits after an answer; 1 to 30 s for a kind that is registered, 5 s to 5 min for another. */
  readonly calm?: Backoff
  readonly random?: () => number
}

/** A kind that we are to release. */
export interface Registered {
  readonly reflect: (hooks: WatchHooks) => Reflection
  /** It is not served any more: there are no workloads of it. */
  readonly forget: () => void
  /** What we need to be allowed. */
  readonly rights: readonly Right[]
}

/** A kind that is looked for. */
export interface Looking {
  readonly presence: () => Presence
  /** Fulfilled when something is known. */
  readonly known: Promise<void>
  /** A Rollout names it from now on. */
  readonly lookAgain: () => void
  /** Runs until the signal aborts. */
  readonly run: (signal: AbortSignal) => Promise<void>
}

/** A Rollout that names what is not there costs 120 to 240 requests an hour, or a tenth of that. */
const REGISTERED = { baseMs: 1000, capMs: 30_000 }
const UNREGISTERED = { baseMs: 5000, capMs: 300_000 }
/** After none. */
const TROUBLE = { baseMs: 500, capMs: 10_000 }

/** Nothing is asked before it runs. */
export function lookFor(options: LookingOptions): Looking {
  const { promise: known, resolve } = Promise.withResolvers<void>()
  let presence: Presence = { is: 'open' }
  let again = new AbortController()
  const learn = (found: Presence) => {
    resolve()
    if (equalJson(found, presence)) return
    presence = found
    options.onChange(presence)
  }
  const learnTrouble = (error: unknown) => {
    // What has been read stays known.
    if (presence.is !== 'watched') learn({ is: 'unread', missing: [], why: wordsOf(error) })
  }
  return {
    known,
    presence: () => presence,
    lookAgain: () => again.abort(),
    async run(signal) {
      const { registered, named, random = Math.random } = options
      const { calm = registered ? REGISTERED : UNREGISTERED } = options
      let [answers, failures] = [0, 0]
      while (!signal.aborted) {
        again = new AbortController()
        const found = await look(options, { learn, learnTrouble }, signal)
        if (signal.aborted) return
        if (found === undefined) {
          failures += 1
          await pause(backoffMs(failures, TROUBLE, random), signal)
          continue
        }
        learn(found)
        failures = 0
        answers += 1
        const sooner = AbortSignal.any([signal, again.signal])
        await (named() ? pause(backoffMs(answers, calm, random), sooner) : untilAborted(sooner))
        if (again.signal.aborted) answers = 0
      }
    },
  }
}

interface Learning {
  readonly learn: (presence: Presence) => void
  readonly learnTrouble: (error: unknown) => void
}

/** Gives what is known then; undefined: it must be looked again soon. */
async function look(
  options: LookingOptions,
  learning: Learning,
  signal: AbortSignal,
): Promise<Presence | undefined> {
  const { client, ref, registered } = options
  const served = await findKind(client, ref, { signal }).catch(learning.learnTrouble)
  if (served === undefined || signal.aborted) return undefined
  if (served === 'nowhere') return forgotten(registered)
  const told = served === 'secret' ? undefined : served
  if (!registered) return { is: 'unregistered', ...(told && { plural: told.name }) }
  const error = await watched(registered, learning, signal)
  if (error instanceof Forbidden) return unread(client, registered, error)
  // Discovery is a moment behind what is served; where it tells nothing, this is all that is known.
  return error instanceof NotFound && !told ? forgotten(registered) : undefined
}

function forgotten(registered: Registered | undefined): Presence {
  registered?.forget()
  return { is: 'unserved' }
}

/** Watches until an error ends it, and gives that. */
async function watched(
  { reflect }: Registered,
  { learn, learnTrouble }: Learning,
  signal: AbortSignal,
): Promise<unknown> {
  const ending = new AbortController()
  let listed = false
  const reflection = reflect({
    onListed() {
      listed = true
      learn({ is: 'watched' })
    },
    onUnlisted: learnTrouble,
    // The right to read it may be taken away for a while: what has been read stays known.
    endsOn: error => error instanceof NotFound || (!listed && error instanceof Forbidden),
  })
  try {
    await reflection.run(AbortSignal.any([signal, ending.signal]))
    return undefined
  } catch (error) {
    return error
  } finally {
    ending.abort()
  }
}

async function unread(
  client: KubeClient,
  { rights }: Registered,
  error: Forbidden,
): Promise<Presence> {
  const { missing } = await missingRights(client, rights).catch(() => ({ missing: [] }))
  return { is: 'unread', missing, why: wordsOf(error) }
}

function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
