// How a Deployment is held whose new pods run in a second one: it is paused, so its own pods stay as they
// are, whatever happens to them. How far the release goes is the size of the second one.

import type { Deployment } from '#api/kubernetes.ts'
import type { WorkloadFields } from './adapter.ts'
import { fieldsHeld } from './deployment-admission.ts'
import { byBudget } from './deployment-fields.ts'
import type { HoldFields } from './deployment-fields.ts'
import { still } from './hold.ts'
import type { Hold } from './hold.ts'
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

/**
 * Paused, the controller-manager makes no pod of the new version, and only sees to their number. It would
 * take all others for superfluous where all that are wanted were new and available: on the way back none is.
 */
function standing(hold: Hold, own: HoldFields): HoldFields {
  const held = byBudget(hold, own)
  const { minReadySeconds, progressDeadlineSeconds } = own
  const back = hold.mode === 'back'
  return { ...held, ...(!back && { minReadySeconds, progressDeadlineSeconds }), paused: true }
}
