// Every kind of workload that can be released step by step, and every style in which it can, a row each.

import { isSameKind } from '../ref.ts'
import type { WorkloadRef, KindRef } from '../ref.ts'
import type { Style } from '../style.ts'
import type { WorkloadAdapter } from './adapter.ts'
import { blueGreen } from './blue-green.ts'
import { canaryDeployment } from './canary-deployment.ts'
import { cloneSet } from './clone-set.ts'
import { daemonSet } from './daemonset.ts'
import { deployment } from './deployment.ts'
import type { Hold } from './hold.ts'
import { kruiseDaemonSet } from './kruise-daemon-set.ts'
import { kruiseStatefulSet } from './kruise-stateful-set.ts'
import { statefulSet, statefulSetLike } from './statefulset.ts'

/**
 * The kinds that every installation releases, where a cluster has them, in the style that every kind
 * has: partition.
 */
export const adapters: readonly WorkloadAdapter[] = [
  deployment,
  statefulSet,
  daemonSet,
  kruiseStatefulSet,
  cloneSet,
  kruiseDaemonSet,
]

/** Those, and further ones, all of a StatefulSet's shape. */
export function adaptersWith(extra: readonly KindRef[]): readonly WorkloadAdapter[] {
  return [...adapters, ...extra.map(statefulSetLike)]
}

/** The kinds in the styles that only some have. */
const inOtherStyles: readonly WorkloadAdapter[] = [canaryDeployment, blueGreen]

/** All of the registry: a row for each kind in each style. */
export const rows: readonly WorkloadAdapter[] = [...adapters, ...inOtherStyles]

type Kind = Pick<WorkloadRef, 'apiVersion' | 'kind'>

/** The adapter of a kind, in any version of it; undefined for a kind that is not among them. */
export function adapterFor(
  ref: Kind,
  among: readonly WorkloadAdapter[] = adapters,
): WorkloadAdapter | undefined {
  return among.find(
    ({ apiVersion, otherVersions = [], kind }) =>
      kind === ref.kind && [apiVersion, ...otherVersions].includes(ref.apiVersion),
  )
}

/** The same kind among those that are released anyway and others, in whatever version; undefined: none is. */
export function sameKind(ref: Kind, others: readonly KindRef[] = []): KindRef | undefined {
  return [...adapters, ...others].find(each => isSameKind(each, ref))
}

/** The adapter for the same kind in a style; undefined where it cannot be released so. */
export function inStyle(
  adapter: WorkloadAdapter,
  style: Style = 'partition',
): WorkloadAdapter | undefined {
  const among = [adapter, ...rows].filter(row => row.style === style)
  return adapterFor(adapter, among)
}

/** By what a workload of the adapter's kind is read that stands as the hold says; undefined: none does. */
export function heldBy(adapter: WorkloadAdapter, hold: Hold | undefined): WorkloadAdapter {
  return inStyle(adapter, hold?.style) ?? adapter
}
