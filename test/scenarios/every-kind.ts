// Every kind of workload, with what its owner writes who lets one pod at a time be missing.

import { deploymentKind } from '../world/deployment-kind.ts'
import * as kinds from '../world/kinds.ts'
import type { WorldKind } from '../world/world.ts'

const inRollingUpdate = (rollingUpdate: object) => ({
  updateStrategy: { type: 'RollingUpdate', rollingUpdate },
})
const rolling = inRollingUpdate({ partition: 0 })
const cloning = { updateStrategy: { partition: 0, maxUnavailable: 1 } }

/** Its name, how it behaves, and its strategy as a part of `spec`. */
export const everyKind: readonly (readonly [name: string, kind: WorldKind, spec: object])[] = [
  ['a Deployment', deploymentKind, {}],
  ['a StatefulSet', kinds.statefulSetKind, rolling],
  ['a DaemonSet', kinds.daemonSetKind, inRollingUpdate({ maxUnavailable: 1 })],
  ['a StatefulSet of Kruise', kinds.kruiseStatefulSetKind, rolling],
  ['a CloneSet', kinds.cloneSetKind, cloning],
  ['a DaemonSet of Kruise', kinds.kruiseDaemonSetKind, rolling],
]

/** Those whose pods always come new: one for each node. */
export const onNodes: readonly WorldKind[] = [kinds.daemonSetKind, kinds.kruiseDaemonSetKind]
