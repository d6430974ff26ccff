// Why nobody looks at a workload: its kind is one that a cluster may lack, or that nobody has registered.
// Each says what to do about it.

import type { ReadyReason } from '#api/names.ts'
import type { KindRef } from '../ref.ts'
import { sameKind } from '../workload/registry.ts'

/** A kind as a Rollout names it. */
export type NamedKind = Pick<KindRef, 'apiVersion' | 'kind'>

/** Why it is not known whether there is such a workload; one sentence each. */
export interface Unseen {
  readonly reason: Extract<ReadyReason, 'KindNotServed' | 'KindNotRegistered' | 'KindUnread'>
  readonly sentences: readonly string[]
}

/** The API server does not have it. `registered`: kinds that were added already. */
export function notServed(ref: NamedKind, registered: readonly KindRef[]): Unseen {
  const what = inWords(ref)
  const register = sameKind(ref, registered) ? '' : ' and add it to `extraKinds` of the chart'
  const sentence = `the cluster does not serve ${what}: install its CRD${register}, or name another kind in spec.workloadRef`
  return { reason: 'KindNotServed', sentences: [sentence] }
}

/** It is released in another version, in which its fields are known. */
function anotherVersion(ref: NamedKind, { apiVersion }: NamedKind): Unseen {
  const sentence = `${inWords(ref)} is not read in this version: name it in ${apiVersion} in spec.workloadRef`
  return { reason: 'KindNotRegistered', sentences: [sentence] }
}

/**
 * The API server has it, and it is none of ours. `plural`: undefined where the API server does not tell it;
 * `registered`: kinds that were added already.
 */
export function notRegistered(
  ref: NamedKind,
  plural: string | undefined,
  registered: readonly KindRef[],
): Unseen {
  const known = sameKind(ref, registered)
  if (known) return anotherVersion(ref, known)
  const kinds = [...registered, { ...ref, plural: plural ?? '<its plural>' }]
  const value = `extraKinds: [${kinds.map(valueOf).join(', ')}]`
  return {
    reason: 'KindNotRegistered',
    sentences: [
      `${inWords(ref)} is not registered, so nothing is done; if it has the fields of a StatefulSet, add it to the values of the chart: ${value}`,
      `that registers it with the webhook and the policy, and gives the controller the rights to list, watch and patch ${plural ?? 'it'}`,
    ],
  }
}

/** It is registered and served, and we cannot read it. `missing`: the rights for that, in words. */
export function unread(
  ref: NamedKind,
  { missing, why }: { readonly missing: readonly string[]; readonly why: string },
): Unseen {
  const sentence =
    missing.length === 0
      ? `${inWords(ref)} cannot be read: ${why}`
      : `rights are missing for ${inWords(ref)}, give them back by helm upgrade: ${missing.join('; ')}`
  return { reason: 'KindUnread', sentences: [sentence] }
}

function inWords({ apiVersion, kind }: NamedKind): string {
  return `${apiVersion} ${kind}`
}

function valueOf({ apiVersion, kind, plural }: KindRef): string {
  return `{apiVersion: ${apiVersion}, kind: ${kind}, plural: ${plural}}`
}
