// Keeps the certificate good for as long as the process lives. Each check reads the store and asks
// the wall clock, never a timer set long ago: a process that was suspended for a week notices. While
// the certificate that is served is good, another one is served only after its CA was made known.

import { certificatesIn, covers, expiry, signedBy } from './authority.ts'
import type { Names } from './authority.ts'
import { startChecks } from './checks.ts'
import { bundleOf, renewed } from './renewal.ts'
import type { Policy } from './renewal.ts'
import type { CertificateStore, Material, Stored } from './store.ts'

/** What a server needs to serve, and what its callers need to trust. All PEM. */
export interface Serving {
  readonly cert: string
  readonly key: string
  /** CA certificates, one after the other: of this certificate, and of the one to come. */
  readonly caBundle: string
}

/** How certificates are kept; lifetimes have the defaults of the product. */
export interface RotationOptions {
  readonly store: CertificateStore
  readonly names: Names
  /** Life of a CA in days, 365 unless given; renewed at two thirds, like the serving one. */
  readonly caDays?: number
  /** Life of a serving certificate in days, 90 unless given. */
  readonly servingDays?: number
  /** Time between checks in milliseconds, 60 s unless given. */
  readonly checkMs?: number
  /** How long a new CA is published before it is used, in milliseconds, 10 minutes unless given. */
  readonly settleMs?: number
  /** The wall clock in epoch milliseconds. */
  readonly now?: () => number
  /**
   * Called with each later certificate; the reasons are empty when another replica renewed it. One that
   * it rejects is not taken over, and neither is what would follow it.
   */
  readonly onChange: (serving: Serving, reasons: readonly string[]) => void | Promise<void>
  /** Told of a check that failed; the certificate stays, the next check tries again. */
  readonly onError: (error: unknown) => void
}

/** A certificate that is being kept good. */
export interface Rotation {
  /** Why the first certificate had to be made; empty where the store held a good one. */
  readonly reasons: readonly string[]
  /** What is served now. */
  readonly current: () => Serving
  /** Looks at the store and the clock now; a failure goes to `onError`. */
  readonly check: () => Promise<void>
  /** Ends the checks; nothing is reported after it. */
  readonly stop: () => void
}

/** Of replicas that write at once all but one lose; so many rounds mean that something is broken. */
const MAX_ROUNDS = 5

/** Makes or finds the certificate, and keeps it good. Throws when the first check fails. */
export async function startRotation(options: RotationOptions): Promise<Rotation> {
  const now = options.now ?? Date.now
  const policy: Policy = {
    names: options.names,
    caDays: options.caDays ?? 365,
    servingDays: options.servingDays ?? 90,
    settleMs: options.settleMs ?? 600_000,
  }

  const first = await ensure(options.store, policy, now)
  let current = toServing(first.material)

  const look = async () => {
    try {
      const { material, reasons } = await ensure(options.store, policy, now)
      const serving = following(current, toServing(material), { names: options.names, now: now() })
      if (checks.stopped() || same(serving, current)) return
      // A change that could not be taken over is offered again at the next check.
      await options.onChange(serving, reasons)
      current = serving
    } catch (error) {
      if (!checks.stopped()) options.onError(error)
    }
  }

  const checks = startChecks(look, options.checkMs ?? 60_000)
  const { check, stop } = checks
  return { reasons: first.reasons, current: () => current, check, stop }
}

async function ensure(store: CertificateStore, policy: Policy, now: () => number) {
  let stored: Stored = await store.read()
  const reasons: string[] = []
  for (let round = 0; round < MAX_ROUNDS; round += 1) {
    const renewal = await renewed(stored.material, policy, now())
    if (renewal.reasons.length === 0) return { material: renewal.material, reasons }
    reasons.splice(0, reasons.length, ...renewal.reasons)
    // What the store then holds is judged again: it may be another replica's.
    stored = await store.write(renewal.material, stored)
  }
  throw new Error(`certificates: other writers changed the store ${MAX_ROUNDS} times in a row`)
}

function toServing(material: Material): Serving {
  return { cert: material.cert, key: material.key, caBundle: bundleOf(material) }
}

/**
 * What is served after `current`. A store that was emptied or exchanged holds a certificate of a CA
 * that no API server has heard of: served at once, it would be refused until all of them have.
 */
function following(
  current: Serving,
  next: Serving,
  { names, now }: { readonly names: Names; readonly now: number },
): Serving {
  if (caOf(next.cert, current.caBundle) !== undefined) return next
  if (now >= expiry(current.cert) || !covers(current.cert, names)) return next
  const ca = caOf(current.cert, current.caBundle) ?? ''
  const caBundle = next.caBundle.includes(ca) ? next.caBundle : next.caBundle + ca
  return { ...current, caBundle }
}

function caOf(cert: string, bundle: string): string | undefined {
  return certificatesIn(bundle).find(ca => signedBy(cert, ca))
}

function same(a: Serving, b: Serving): boolean {
  return a.cert === b.cert && a.key === b.key && a.caBundle === b.caBundle
}
