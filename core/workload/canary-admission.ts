// How a Deployment is held whose new pods run in a second one: it is paused, so its own pods stay as they
// are, whatever happens to them. How far the release goes is the size of the second one.

import type { Deployment } from '#api/kubernetes.ts'
import type { WorkloadFields } from './adapter.ts'
import { fieldsHeld } from './deployment-admission.ts'
import type { HoldFields } from './deployment-fields.ts'
import { still } from './hold.ts'
import type { Hold } from './hold.ts'
import { mark } from './percent.ts'
import { takenForFinished } from './stock-clients.ts'

const held = fieldsHeld(standing)

/** The admission half of the adapter. */
export const canaryFields: WorkloadFields<Deployment> = {
  ...held,
  deceived: takenForFinished,
  firstWave: (before, object) => held.keepingAll({ mode: 'wave', ...still }, before, object),
  most: () => 0,
  peak: ({ spec }, _, n) => (spec.replicas ?? 1) + n,
}

/** Paused, the controller-manager makes no pod of the new version, and only sees to their number. */
function standing(hold: Hold, own: HoldFields): HoldFields {
  const { budget, surge } = hold
  return {
    ...own,
    type: 'RollingUpdate',
    maxUnavailable: mark(budget),
    maxSurge: mark(surge),
    paused: true,
  }
}
