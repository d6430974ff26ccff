// The laws of steps: what people wrote is done, once, and nothing else leads from one step to the next.

import type { WorkloadFacts, RolloutFacts, Told, State } from './chronicle-facts.ts'
import { active, total } from './history-facts.ts'
import { allowedBySteps, isFree, isOver, naturalAfter } from './history-releases.ts'
import type { Demand } from './history-releases.ts'

type Planned = Pick<State, 'rollout'>

/** No approval is lost, none counts twice, and nothing else ends the pause of a step. */
export function* stepped(before: Planned, after: Planned): Generator<string> {
  if (!before.rollout || !after.rollout || !goesOn(before.rollout, after.rollout)) return
  const { told: was, steps } = before.rollout
  const { told: is } = after.rollout
  const next = `step ${is.step} after step ${was.step}`
  if (is.step > was.step + 1 || wentBack(was, is)) yield next
  if (is.step > was.step && !isOver(was, steps)) yield `${next} without an approval`
  if (wasLost(was, is)) yield `the approval of step ${was.step} was lost`
}

/** But by an abort, which takes a release to before its first step. */
function wentBack(was: Told, is: Told): boolean {
  const rewound = is.step === 1 && is.state === 'BeforeStepUpgrade'
  return is.step < was.step && !rewound
}

/** Whatever is not at rest says why, and since when. */
export function* explained({ changed, rollout }: State): Generator<string> {
  if (changed?.kind !== 'rollout' || !rollout) return
  const { phase, explained: told } = rollout.told
  // A Rollout that is Initial and Ready guards a workload that somebody else is still rolling out.
  const atRest = ['', 'Healthy', 'Initial'].includes(phase)
  if (!atRest && !told) yield `nobody is told why it is ${phase}`
}

function wasLost(was: Told, is: Told): boolean {
  const approved = was.reached && was.state === 'StepReady'
  return approved && is.step === was.step && is.state === 'StepPaused'
}

/** The same release by the same plan, and nobody has written which step comes next. */
function goesOn({ told: was, steps }: RolloutFacts, { told: is }: RolloutFacts): boolean {
  const running = is.phase === 'Progressing' && is.state !== 'Completed'
  const jumps = was.nextStep !== naturalAfter(was.step, steps)
  return running && !jumps && was.release === is.release && was.planHash === is.planHash
}

/** A version that nobody runs is held from the very write on that brings it, by a hold or a catch. */
export function* unheld(
  before: State,
  { workload: now }: State,
  latest: Demand | undefined,
): Generator<string> {
  const was = before.workload
  if (!was?.guarded || !now || was.image === now.image || isKept(now)) return
  // From nobody everything comes up new; and to go back is no release.
  const nobody = Math.min(was.replicas, now.replicas) === 0
  const back = now.image === latest?.stable || runs(before, now.image)
  if (!nobody && !back) yield `the edit to ${now.image} went out unheld`
}

function isKept(workload: WorkloadFacts): boolean {
  return workload.caught || !isFree(workload)
}

function runs(state: State, version: string): boolean {
  return active(state).some(({ image }) => image === version)
}

/** A new template goes free only when all steps of its release are over. */
export function* freed(
  before: State,
  { workload }: State,
  was: Demand | undefined,
): Generator<string> {
  if (!workload || !was?.release || !isFree(workload) || isFree(was.workload)) return
  const { image, replicas } = workload
  if (image === was.stable || image !== was.workload.image || total(before) === 0) return
  const most = allowedBySteps(was.release, replicas)
  if (most < replicas) yield `the release was ended at ${most} of ${replicas} pods`
}
