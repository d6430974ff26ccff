// Kinds that an installation releases beside those that we know, as a flag says them.

import { isNative, isSameKind } from '#core/ref.ts'
import type { KindRef } from '#core/ref.ts'
import { isNetworkKind, routersOf } from '#core/traffic/registry.ts'
import { adapterFor, sameKind } from '#core/workload/registry.ts'

/** Reads `GROUP/VERSION/KIND=PLURAL`, with commas between several. Throws one line that names the flag. */
export function kindsOf(flag: string, text: string): readonly KindRef[] {
  return readKinds(flag, text, whyNotReleased)
}

/** The same of kinds by which requests are moved. */
export function routeKindsOf(flag: string, text: string): readonly KindRef[] {
  return readKinds(flag, text, whyNotRouted)
}

function readKinds(
  flag: string,
  text: string,
  whyNot: (kind: KindRef, others: readonly KindRef[]) => string | undefined,
): readonly KindRef[] {
  const kinds: KindRef[] = []
  for (const part of text.split(',').filter(each => each !== '')) {
    const kind = kindOf(flag, part)
    const { apiVersion } = kind
    const why = whyNot(kind, kinds)
    if (why !== undefined) throw new Error(`${flag}: ${apiVersion} ${kind.kind} ${why}`)
    kinds.push(kind)
  }
  return kinds
}

/** As the flag is written. */
export function kindsInWords(kinds: readonly KindRef[]): string {
  return kinds.map(({ apiVersion, kind, plural }) => `${apiVersion}/${kind}=${plural}`).join(',')
}

function kindOf(flag: string, text: string): KindRef {
  const { apiVersion, kind, plural } = shape.exec(text)?.groups ?? {}
  if (apiVersion !== undefined && kind !== undefined && plural !== undefined)
    return { apiVersion, kind, plural }
  const wanted = 'GROUP/VERSION/KIND=PLURAL, such as databases.example.com/v1/Shard=shards'
  throw new Error(`${flag}: expected ${wanted}, got ${JSON.stringify(text)}`)
}

const shape =
  /^(?<apiVersion>[a-z0-9][-.a-z0-9]*\/v[a-z0-9]+)\/(?<kind>[A-Z][A-Za-z0-9]*)=(?<plural>[a-z][-a-z0-9]*)$/

function whyNotRouted(kind: KindRef, others: readonly KindRef[]): string | undefined {
  if (routersOf(kind).length > 0) return 'routes requests without being named here'
  if (!isNetworkKind(kind)) return "is Kubernetes' own, and routes no requests"
  return others.some(each => isSameKind(each, kind)) ? 'is named twice' : undefined
}

function whyNotReleased(kind: KindRef, others: readonly KindRef[]): string | undefined {
  if (adapterFor(kind)) return 'is released without being named here'
  if (isNative(kind)) return "is Kubernetes' own: a kind of your own has a group with a dot in it"
  const known = sameKind(kind)
  if (known) return `is released as ${known.apiVersion}: a Rollout names it so`
  return others.some(each => isSameKind(each, kind)) ? 'is named twice' : undefined
}
