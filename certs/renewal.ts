// What has to be renewed now. An ordered table of rules, the first that holds is applied, until none
// does: a pure question to the stored PEMs and the clock, so every replica answers it alike.

import {
  BACKDATE_MS,
  beginning,
  covers,
  createAuthority,
  expiry,
  issue,
  matches,
  signedBy,
} from './authority.ts'
import type { Names } from './authority.ts'
import type { Material } from './store.ts'

/** How certificates are kept: names and lifetimes. */
export interface Policy {
  readonly names: Names
  readonly caDays: number
  readonly servingDays: number
  /**
   * How long a new CA is only published, in milliseconds, before certificates come from it: time
   * for every replica and API server to trust it.
   */
  readonly settleMs: number
}

/** Material that needs nothing, and why it was renewed: empty where it was good as it was. */
export interface Renewal {
  readonly material: Material
  readonly reasons: readonly string[]
}

/** Gives material that is good at `now`: the very one where nothing has to be renewed. */
export async function renewed(
  stored: Partial<Material>,
  policy: Policy,
  now: number,
): Promise<Renewal> {
  const reasons: string[] = []
  let material: Partial<Material> = stored
  for (;;) {
    const context = { material, policy, now }
    const rule = rules.find(each => each.holds(context))
    if (!rule) return { material: complete(material), reasons }
    // A rule that holds again after it was applied would renew for ever.
    if (reasons.includes(rule.why)) throw new Error(`certificates: renewed in vain: ${rule.why}`)
    reasons.push(rule.why)
    material = await rule.apply(context)
  }
}

/** The CAs that API servers have to trust: the present one, and the one before until it expires. */
export function bundleOf(material: Material): string {
  return material.caCert + (material.caPrevious ?? '')
}

interface Context {
  readonly material: Partial<Material>
  readonly policy: Policy
  readonly now: number
}

interface Rule {
  readonly why: string
  readonly holds: (context: Context) => boolean
  readonly apply: (context: Context) => Promise<Partial<Material>>
}

const rules: readonly Rule[] = [
  {
    why: 'the previous CA is over',
    holds: ({ material, now }) => !!material.caPrevious && !alive(material.caPrevious, now),
    apply: ({ material }) => Promise.resolve(withoutPrevious(material)),
  },
  {
    why: 'the CA is missing, unreadable, expired or without its key',
    holds: ({ material, now }) =>
      !alive(material.caCert, now) || !paired(material.caCert, material.caKey),
    apply: newAuthority,
  },
  {
    why: 'the CA is past two thirds of its life',
    holds: ({ material, now }) => !!material.caCert && aged(material.caCert, now),
    apply: newAuthority,
  },
  {
    why: 'the serving certificate is missing, unreadable, expired or without its key',
    holds: ({ material, now }) =>
      !alive(material.cert, now) || !paired(material.cert, material.key),
    apply: newServing,
  },
  {
    why: 'the serving certificate lacks a name',
    holds: ({ material, policy }) => !covers(material.cert ?? '', policy.names),
    apply: newServing,
  },
  {
    why: 'the serving certificate is from a foreign CA',
    holds: ({ material }) =>
      !from(material, material.caCert) && !from(material, material.caPrevious),
    apply: newServing,
  },
  {
    why: 'the serving certificate is from the previous CA',
    holds: context => settled(context) && !from(context.material, context.material.caCert),
    apply: newServing,
  },
  {
    why: 'the serving certificate is past two thirds of its life',
    holds: context => settled(context) && aged(context.material.cert ?? '', context.now),
    apply: newServing,
  },
]

async function newAuthority({ material, policy, now }: Context): Promise<Partial<Material>> {
  const ca = await createAuthority({ now, days: policy.caDays })
  const previous = material.caCert
  return {
    ...withoutPrevious(material),
    ...(previous !== undefined && alive(previous, now) ? { caPrevious: previous } : {}),
    caCert: ca.cert,
    caKey: ca.key,
  }
}

async function newServing({ material, policy, now }: Context): Promise<Partial<Material>> {
  const authority = { cert: material.caCert ?? '', key: material.caKey ?? '' }
  const serving = await issue(authority, { ...policy.names, now, days: policy.servingDays })
  return { ...material, cert: serving.cert, key: serving.key }
}

// The beginning is not looked at: a replica with a slow clock would fight the others.
function alive(pem: string | undefined, now: number): boolean {
  try {
    return pem !== undefined && now < expiry(pem)
  } catch {
    return false
  }
}

function aged(pem: string, now: number): boolean {
  const begin = beginning(pem) + BACKDATE_MS
  return now >= begin + ((expiry(pem) - begin) * 2) / 3
}

function settled({ material, policy, now }: Context): boolean {
  // Without a previous CA nobody trusts anything else: there is nothing to wait for.
  if (material.caPrevious === undefined) return true
  return now >= beginning(material.caCert ?? '') + BACKDATE_MS + policy.settleMs
}

function from(material: Partial<Material>, ca: string | undefined): boolean {
  return ca !== undefined && signedBy(material.cert ?? '', ca)
}

function paired(cert: string | undefined, key: string | undefined): boolean {
  return matches({ cert: cert ?? '', key: key ?? '' })
}

function withoutPrevious(material: Partial<Material>): Partial<Material> {
  const { caPrevious: _, ...rest } = material
  return rest
}

function complete({ caCert, caKey, cert, key, caPrevious }: Partial<Material>): Material {
  if (!caCert || !caKey || !cert || !key) throw new Error('certificates: incomplete after renewal')
  return { caCert, caKey, cert, key, ...(caPrevious === undefined ? {} : { caPrevious }) }
}
