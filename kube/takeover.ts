// Takes a lease from whoever holds it, for the one who takes everything away. It is taken as it is after a
// crash: the former holder sees at its next renewal that it leads no more, and stops on its own clocks in any
// case; so nobody writes before its whole lease has passed. docs/adr/0007 says why that is enough.

import { pause } from './backoff.ts'
import type { KubeClient } from './client.ts'
import { AlreadyExists, Conflict, NotFound } from './errors.ts'
import { microTime } from './lease.ts'
import { LEASES } from './resources.ts'
import type { Lease, ObjectRef } from './resources.ts'

/** Whose lease is taken, and by whom. */
export interface Takeover {
  readonly client: KubeClient
  readonly lease: ObjectRef
  /** That of the elector that renews it from then on. */
  readonly identity: string
  /** For how long it is ours afterwards, where nobody renews it; whole seconds. */
  readonly durationMs: number
}

/**
 * Returns when the lease is ours and the former holder can write no more, or early when the signal aborts.
 * Throws the API server's errors; then nothing was taken.
 */
export async function takeOver(takeover: Takeover, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const before = await read(takeover)
    const formerMs = leftToFormer(before, takeover.identity)
    try {
      await write(takeover, before, formerMs)
      return await pause(formerMs, signal)
    } catch (error) {
      // It was renewed, or deleted, in between.
      if (!overtaken.some(type => error instanceof type)) throw error
    }
  }
}

const overtaken = [Conflict, NotFound, AlreadyExists]

async function read({ client, lease }: Takeover): Promise<Lease | undefined> {
  try {
    return await client.get(LEASES, lease)
  } catch (error) {
    if (error instanceof NotFound) return undefined
    throw error
  }
}

/** It may have been renewed a moment ago, and nobody's clock but ours is known. */
function leftToFormer(lease: Lease | undefined, identity: string): number {
  const { holderIdentity = '', leaseDurationSeconds = 0 } = { ...lease?.spec }
  return holderIdentity === '' || holderIdentity === identity ? 0 : leaseDurationSeconds * 1000
}

async function write(
  { client, lease: ref, identity, durationMs }: Takeover,
  before: Lease | undefined,
  formerMs: number,
): Promise<void> {
  const now = microTime()
  const spec = {
    ...before?.spec,
    holderIdentity: identity,
    // Who else waits for the lease goes on waiting while we do.
    leaseDurationSeconds: (formerMs + durationMs) / 1000,
    acquireTime: now,
    renewTime: now,
    leaseTransitions: (before?.spec?.leaseTransitions ?? 0) + (before === undefined ? 0 : 1),
  }
  const { apiVersion, kind } = LEASES
  if (before) await client.replace(LEASES, { ...before, apiVersion, kind, spec })
  else await client.create(LEASES, { apiVersion, kind, metadata: ref, spec })
}
