// One leader among replicas, by a Lease that the leader keeps renewing. The leader stops on its own
// clocks before anybody else may start, so no two wall clocks need to agree; its writes stop with it,
// each by the term that it belongs to (fence.ts). docs/adr/0007 says what is guaranteed by what.
import { pause } from './backoff.ts'
import type { KubeClient } from './client.ts'
import { AlreadyExists, Conflict, NotFound } from './errors.ts'
import { LEASES } from './resources.ts'
import type { Lease, ObjectRef } from './resources.ts'
import { stopwatch } from './stopwatch.ts'
import type { Stopwatch } from './stopwatch.ts'

/** What an elector tells its owner, for the log. */
export type LeaseNews =
  | { readonly what: 'leading' | 'lost' | 'released' }
  | { readonly what: 'following'; readonly holder: string }
  | { readonly what: 'failed'; readonly error: unknown }

/** How an elector is made. */
export interface LeaseOptions {
  /** A client of its own: a busy pool must not delay a renewal. */
  readonly client: KubeClient
  readonly namespace: string
  readonly name: string
  /** Unique among the replicas and their restarts, such as the pod's name with a random part. */
  readonly identity: string
  /** After this long without a renewal others take over; whole seconds, 15 s unless given. */
  readonly durationMs?: number
  /** After this long without a renewal we stop leading; shorter, 10 s unless given. */
  readonly renewDeadlineMs?: number
  /** Time between attempts to take it, or to renew it after one that failed; 2 s unless given. */
  readonly retryMs?: number
  readonly onNews?: (news: LeaseNews) => void
}

/** One time of leading, from taking the lease until it is lost or given back. */
export interface Term {
  /**
   * Milliseconds for which nobody else can lead. 0 once the term is over, and for ever: a later
   * term of the same process is another one. Exact even when timers run late.
   */
  readonly remainingMs: () => number
}

/** Work that only the leader does; it must end soon after its signal aborts. */
export type LeaderWork = (leaderSignal: AbortSignal, term: Term) => Promise<void>

interface Seen {
  readonly holder: string
  readonly renewTime: string | undefined
  readonly durationMs: number
  /** Of the monotonic clock alone: where that stood still, we only wait longer. */
  readonly at: number
}

interface Bound {
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

/** Takes part in an election. */
export class LeaderElector {
  readonly #options: LeaseOptions
  readonly #ref: ObjectRef
  readonly #durationMs: number
  readonly #deadlineMs: number
  readonly #retryMs: number
  /** Our lease as we last wrote it. */
  #held: Lease | undefined
  /** What another wrote, and how long ago on our clock we first saw exactly that. */
  #seen: Seen | undefined
  /** The last one that began. */
  #current: Term | undefined
  /** How long ago the last renewal that succeeded was sent; undefined: we do not lead. */
  #sinceRenewal: Stopwatch | undefined

  constructor(options: LeaseOptions) {
    this.#options = options
    this.#ref = { namespace: options.namespace, name: options.name }
    this.#durationMs = options.durationMs ?? 15_000
    this.#deadlineMs = options.renewDeadlineMs ?? 10_000
    this.#retryMs = options.retryMs ?? 2_000
    if (this.#durationMs < 1000 || this.#durationMs % 1000 !== 0) {
      throw new TypeError(`durationMs ${this.#durationMs}: give whole seconds, at least 1000`)
    }
    if (this.#deadlineMs >= this.#durationMs || this.#retryMs >= this.#deadlineMs) {
      throw new TypeError('renewDeadlineMs must be below durationMs, and retryMs below both')
    }
  }

  /** True while nobody else can be leading; exact even when timers run late. */
  isLeader(): boolean {
    return this.#remainingMs() > 0
  }

  /**
   * Waits for the lead, runs `work`, and waits for the lead again when it was lost. The leader's
   * signal aborts when the lead is lost or `signal` aborts; the lease is given back only after
   * `work` has ended. Returns when `signal` aborts or `work` ends by itself; throws what it throws.
   */
  async run(signal: AbortSignal, work: LeaderWork): Promise<void> {
    let finished = false
    while (!signal.aborted && !finished) {
      await this.#acquire(signal)
      if (this.isLeader()) finished = await this.#lead(signal, work)
    }
  }

  async #acquire(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#take({ timeoutMs: this.#deadlineMs, signal })
      if (this.isLeader()) return
      // Replicas that started together try at different moments.
      await pause(this.#retryMs * (1 + Math.random() * 0.2), signal)
    }
  }

  /** Gives true where the work has ended by itself. */
  async #lead(signal: AbortSignal, work: LeaderWork): Promise<boolean> {
    const leadership = new AbortController()
    const ended = new AbortController()
    const stop = () => leadership.abort(signal.reason)
    signal.addEventListener('abort', stop)
    if (signal.aborted) stop()
    this.#tell({ what: 'leading' })
    const term = this.#term()
    this.#current = term
    const working = work(leadership.signal, term).finally(() => ended.abort())
    // Its error is thrown below; until then it must not count as unhandled.
    working.catch(() => {})
    try {
      await this.#renewUntil(ended.signal)
      if (!ended.signal.aborted) {
        this.#tell({ what: 'lost' })
        leadership.abort(new Error('the lease was lost'))
      }
      await working
      return !leadership.signal.aborted
    } finally {
      signal.removeEventListener('abort', stop)
      await this.#release()
    }
  }

  /** What has run out is never renewed, so a term that is over stays over. */
  #term(): Term {
    const term: Term = {
      remainingMs: () => (this.#current === term ? Math.max(0, this.#remainingMs()) : 0),
    }
    return term
  }

  /** Renews while the work is ending too, so that nobody else starts before it has ended. */
  async #renewUntil(ended: AbortSignal): Promise<void> {
    // Half of the time is left for the attempts that follow one that fails.
    const calmMs = Math.max(this.#deadlineMs / 2, this.#retryMs)
    let waitMs = calmMs
    while (!ended.aborted && this.isLeader()) {
      await pause(Math.min(waitMs, this.#remainingMs()), ended)
      if (ended.aborted || !this.isLeader()) return
      const before = this.#sinceRenewal
      await this.#renew({ timeoutMs: Math.ceil(this.#remainingMs()), signal: ended })
      waitMs = this.#sinceRenewal === before ? this.#retryMs : calmMs
    }
  }

  /** Tries once to take the lease; a failure changes nothing. */
  async #take(bound: Bound): Promise<void> {
    const sent = stopwatch()
    await this.#trying(bound, async () => {
      const lease = await this.#read(bound)
      if (!this.#takenByOther(lease)) await this.#write(lease, sent, bound)
    })
  }

  /**
   * Tries once to renew. What has run out is never renewed, nor a lease that somebody else has held
   * since, or that is gone: another may have led meanwhile.
   */
  async #renew(bound: Bound): Promise<void> {
    const sent = stopwatch()
    if (!this.isLeader()) return
    await this.#trying(bound, async () => {
      try {
        return await this.#write(this.#held, sent, bound)
      } catch (error) {
        if (!(error instanceof Conflict) && !(error instanceof NotFound)) throw error
      }
      const lease = await this.#read(bound)
      const ours = lease?.spec?.holderIdentity === this.#options.identity
      if (!ours) this.#sinceRenewal = undefined
      // Somebody wrote a label, say.
      else if (this.isLeader()) await this.#write(lease, sent, bound)
    })
  }

  async #trying(bound: Bound, attempt: () => Promise<void>): Promise<void> {
    try {
      await attempt()
    } catch (error) {
      // Another replica was quicker: the next attempt sees who.
      if (error instanceof Conflict || error instanceof AlreadyExists) return
      if (!bound.signal.aborted) this.#tell({ what: 'failed', error })
    }
  }

  async #read(bound: Bound): Promise<Lease | undefined> {
    try {
      return await this.#options.client.get(LEASES, this.#ref, bound)
    } catch (error) {
      if (error instanceof NotFound) return undefined
      throw error
    }
  }

  /** A lease that somebody deleted still counts for whoever has seen it held. */
  #takenByOther(lease: Lease | undefined): boolean {
    const spec = lease?.spec
    if (spec) {
      const { holderIdentity: holder = '' } = spec
      if (holder === '' || holder === this.#options.identity) return false
      this.#see(holder, spec)
    }
    const { at, durationMs } = this.#seen ?? { at: 0, durationMs: 0 }
    return performance.now() < at + durationMs
  }

  #see(holder: string, { renewTime, leaseDurationSeconds = 0 }: NonNullable<Lease['spec']>): void {
    const before = this.#seen
    if (before?.holder !== holder) this.#tell({ what: 'following', holder })
    else if (before.renewTime === renewTime) return
    // Counted from when we saw it, never from its renewTime: that is another machine's clock.
    const at = performance.now()
    this.#seen = { holder, renewTime, durationMs: leaseDurationSeconds * 1000, at }
  }

  async #write(lease: Lease | undefined, sent: Stopwatch, bound: Bound): Promise<void> {
    const { client, identity } = this.#options
    const before = lease?.spec ?? {}
    const renewTime = microTime()
    const same = before.holderIdentity === identity
    const spec = {
      ...before,
      holderIdentity: identity,
      leaseDurationSeconds: this.#durationMs / 1000,
      acquireTime: same ? (before.acquireTime ?? renewTime) : renewTime,
      renewTime,
      leaseTransitions: (before.leaseTransitions ?? 0) + (same || lease === undefined ? 0 : 1),
    }
    const kind = { apiVersion: LEASES.apiVersion, kind: LEASES.kind }
    this.#held =
      lease === undefined
        ? await client.create(LEASES, { ...kind, metadata: this.#ref, spec }, bound)
        : await client.replace(LEASES, { ...lease, ...kind, spec }, bound)
    this.#sinceRenewal = sent
  }

  /** Gives the lease back, so that the next leader need not wait for it to run out. */
  async #release(): Promise<void> {
    const held = this.#held
    const leading = this.isLeader()
    this.#sinceRenewal = undefined
    if (!leading || held === undefined) return
    const { holderIdentity: _, ...spec } = held.spec ?? {}
    try {
      const options = { timeoutMs: this.#retryMs }
      await this.#options.client.replace(LEASES, { ...held, spec }, options)
      this.#tell({ what: 'released' })
    } catch (error) {
      this.#tell({ what: 'failed', error })
    }
  }

  #remainingMs(): number {
    return this.#deadlineMs - (this.#sinceRenewal?.() ?? Number.POSITIVE_INFINITY)
  }

  #tell(news: LeaseNews): void {
    this.#options.onNews?.(news)
  }
}

/** The current time as a MicroTime, such as `2026-01-31T12:00:00.123000Z`. */
export function microTime(): string {
  return new Date().toISOString().replace('Z', '000Z')
}
