// One leader among replicas, by a Lease that the leader keeps renewing. The leader stops on its own
// monotonic clock before anybody else may start, so no two wall clocks need to agree.
import { pause } from './backoff.ts'
import type { KubeClient } from './client.ts'
import { AlreadyExists, Conflict, NotFound } from './errors.ts'
import { LEASES } from './resources.ts'
import type { Lease, ObjectRef } from './resources.ts'

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
  /** Time between attempts; 2 s unless given. */
  readonly retryMs?: number
  readonly onNews?: (news: LeaseNews) => void
}

/** Work that only the leader does; it must end soon after its signal aborts. */
export type LeaderWork = (leaderSignal: AbortSignal) => Promise<void>

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
  /** What another wrote, and when on our clock we first saw exactly that. */
  #seen = { record: '', since: 0 }
  /** When the last renewal that succeeded was sent, on the monotonic clock. */
  #renewedAt = Number.NEGATIVE_INFINITY

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
      await this.#attempt({ timeoutMs: this.#deadlineMs, signal })
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
    const working = work(leadership.signal).finally(() => ended.abort())
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

  /** Renews while the work is ending too, so that nobody else starts before it has ended. */
  async #renewUntil(ended: AbortSignal): Promise<void> {
    while (!ended.aborted && this.isLeader()) {
      await pause(Math.min(this.#retryMs, this.#remainingMs()), ended)
      if (ended.aborted || !this.isLeader()) return
      await this.#attempt({ timeoutMs: Math.ceil(this.#remainingMs()), signal: ended })
    }
  }

  /** Tries once to take or renew the lease; a failure changes nothing but what time changes. */
  async #attempt(bound: Bound): Promise<void> {
    const sentAt = performance.now()
    try {
      if (this.isLeader() && (await this.#renewed(sentAt, bound))) return
      const lease = await this.#read(bound)
      if (lease !== undefined && this.#takenByOther(lease)) {
        this.#renewedAt = Number.NEGATIVE_INFINITY
        return
      }
      await this.#write(lease, sentAt, bound)
    } catch (error) {
      // Another replica was quicker: the next attempt sees who.
      if (error instanceof Conflict || error instanceof AlreadyExists) return
      if (!bound.signal.aborted) this.#tell({ what: 'failed', error })
    }
  }

  /** Gives false where somebody has written the lease since: then it must be read. */
  async #renewed(sentAt: number, bound: Bound): Promise<boolean> {
    try {
      await this.#write(this.#held, sentAt, bound)
      return true
    } catch (error) {
      if (error instanceof Conflict || error instanceof NotFound) return false
      throw error
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

  #takenByOther(lease: Lease): boolean {
    const { holderIdentity: holder = '', leaseDurationSeconds = 0, renewTime } = lease.spec ?? {}
    if (holder === '' || holder === this.#options.identity) return false
    const record = `${holder} ${renewTime}`
    // Counted from when we saw it, never from its renewTime: that is another machine's clock.
    if (this.#seen.record !== record) {
      if (!this.#seen.record.startsWith(`${holder} `)) this.#tell({ what: 'following', holder })
      this.#seen = { record, since: performance.now() }
    }
    return performance.now() < this.#seen.since + leaseDurationSeconds * 1000
  }

  async #write(lease: Lease | undefined, sentAt: number, bound: Bound): Promise<void> {
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
    this.#renewedAt = sentAt
  }

  /** Gives the lease back, so that the next leader need not wait for it to run out. */
  async #release(): Promise<void> {
    const held = this.#held
    if (!this.isLeader() || held === undefined) return
    this.#renewedAt = Number.NEGATIVE_INFINITY
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
    return this.#renewedAt + this.#deadlineMs - performance.now()
  }

  #tell(news: LeaseNews): void {
    this.#options.onNews?.(news)
  }
}

/** Gives the current time as a MicroTime, such as `2026-01-31T12:00:00.123000Z`. */
function microTime(): string {
  return new Date().toISOString().replace('Z', '000Z')
}
