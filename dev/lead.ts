// Who leads, for whoever sits at the terminal: a controller that has just been started waits for the Lease of
// one that was killed, some seconds in which nothing goes on.

import { pause } from '#kube/backoff.ts'
import type { KubeClient } from '#kube/client.ts'
import { NotFound } from '#kube/errors.ts'
import { LEASES } from '#kube/resources.ts'
import type { Lease } from '#kube/resources.ts'
import { lease as ref } from './sluice.ts'

/** Whose lead is waited for, and who is told. */
export interface LeadOptions {
  readonly client: KubeClient
  /** As the controller is named in the Lease. */
  readonly identity: string
  /** Gets what it does, in words for people. */
  readonly say: (line: string) => void
}

/** Returns when the controller leads, or the signal aborts; says for whom it waits, and until when. */
export async function untilLeading(
  { client, identity, say }: LeadOptions,
  signal: AbortSignal,
): Promise<void> {
  let seen: Held
  let told: string | undefined
  while (!signal.aborted) {
    const held = await read(client)
    if (held?.holderIdentity === identity) return
    const words = held && inWords(held, seen)
    // A living one renews it every few seconds.
    if (words !== undefined && words !== told) say(words)
    told = words ?? told
    seen = held
    await pause(200, signal)
  }
}

type Held = Lease['spec'] | undefined

/** What is new, for people. */
function inWords(held: NonNullable<Held>, seen: Held): string | undefined {
  const { holderIdentity: holder, leaseDurationSeconds = 0, renewTime } = held
  if (holder === undefined || renewTime === seen?.renewTime) return undefined
  if (holder === seen?.holderIdentity) {
    return `still waits: ${holder} is alive and leads, and this controller does when that one has ended`
  }
  // Counted from when it is seen, as the controller does.
  const end = new Date(Date.now() + leaseDurationSeconds * 1000).toTimeString().slice(0, 8)
  return `waits for the Lease ${ref.namespace}/${ref.name}, which ${holder} has held: it ends at ${end}`
}

async function read(client: KubeClient): Promise<Held> {
  try {
    return (await client.get(LEASES, ref)).spec
  } catch (error) {
    if (error instanceof NotFound) return undefined
    throw error
  }
}
