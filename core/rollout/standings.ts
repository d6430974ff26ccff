// How a Rollout stands while a plan applies, where several plans say the same.

import type { ProgressingReason, ReadyReason, StalledReason } from '#api/names.ts'
import { overdue } from './goals.ts'
import type { Phase, Plan, Snapshot, Standing } from './model.ts'
import { obstacle } from './obstacle.ts'

/** A release is on its way. */
export function progressing(reason: ProgressingReason): Plan['standing'] {
  return () => ({ phase: 'Progressing', progressing: reason, reconciling: true })
}

/** A release that cannot go on now is not forgotten. */
export function phaseKept({ memory }: Snapshot): Phase {
  return memory.releasing ? 'Progressing' : 'Initial'
}

/** Its owner wants nothing of it. */
export function disabled(met: boolean): Standing {
  return { phase: met ? 'Disabled' : 'Disabling', reconciling: !met }
}

/** What keeps the next edit from its release: a Rollout that said nothing of it would deceive its owner. */
export function idle(s: Snapshot, met: boolean): Partial<Standing> {
  const { standing } = { ...obstacle(s) }
  // While something is done first the message is of that.
  return standing && (met || standing.stalled) ? standing : {}
}

/** Nothing is done until somebody acts. */
export function blocked(reason: ReadyReason & StalledReason): (s: Snapshot) => Standing {
  return s => ({ phase: phaseKept(s), notReady: reason, stalled: reason, reconciling: false })
}

/** Late is told, and moves nothing. */
export function patiently(s: Snapshot, reason: ProgressingReason): Standing {
  const late = !s.memory.pauseReached && overdue(s)
  const stalled = late && ({ stalled: 'ProgressDeadlineExceeded' } as const)
  return { phase: 'Progressing', progressing: reason, reconciling: true, ...stalled }
}
