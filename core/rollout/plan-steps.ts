// The arithmetic of the plan that the user wrote: which step is which, and what comes after it.

import { podCount } from '../replicas.ts'
import { keepsOld } from '../style.ts'
import type { Split } from '../traffic/model.ts'
import type { Workload } from '../workload/model.ts'
import type { Memory, Rollout, Snapshot, Step } from './model.ts'

/** The step that the release is in. A plan that became shorter leaves it in its last one. */
export function currentStep({ rollout, memory }: Snapshot): Step {
  return rollout!.steps[Math.min(memory.stepIndex, rollout!.steps.length) - 1]!
}

/**
 * What the step asks of the requests; undefined: nothing. Where all pods are to be new in place of the
 * old ones, nobody is left to send the others to.
 */
export function splitNow(s: Snapshot): Split | undefined {
  const { rollout, workload } = s
  const { split, replicas: pods } = currentStep(s)
  const { replicas } = workload!
  const replaced = rollout!.style === 'partition' && podCount(pods, replicas) >= replicas
  return replaced || !stableRuns(workload!) ? undefined : split
}

/** The number of the first step that says where requests go; undefined: none does. */
export function firstRouted(steps: readonly Step[]): number | undefined {
  const found = steps.findIndex(({ split }) => split !== undefined)
  return found === -1 ? undefined : found + 1
}

/** Somebody is there to send requests to. */
export function stableRuns({ active, stableRevision }: Workload): boolean {
  return stableRevision !== '' && active.some(({ hash }) => hash === stableRevision)
}

/** What comes after a step when nobody jumps; -1 after the last. */
export function naturalNext(rollout: Rollout, stepIndex: number): number {
  return stepIndex < rollout.steps.length ? stepIndex + 1 : -1
}

/** Somebody wrote another next step, and it is one. */
export function wantsJump(s: Snapshot): boolean {
  return wantsAnother(s) && isStep(s)
}

/** Somebody wrote another next step, and there is none such. */
export function wantsNoStep(s: Snapshot): boolean {
  return wantsAnother(s) && !isStep(s)
}

function wantsAnother({ rollout, memory }: Snapshot): boolean {
  return memory.nextStepIndex !== naturalNext(rollout!, memory.stepIndex)
}

function isStep({ rollout, memory }: Snapshot): boolean {
  return memory.nextStepIndex >= 1 && memory.nextStepIndex <= rollout!.steps.length
}

/**
 * A last step of exactly "100%" has nothing to wait for: it is the end. But not where all new pods stand
 * beside all old ones then: the old ones wait for the word to go.
 */
export function isTheEnd({ steps, style }: Rollout, step: Step): boolean {
  return step === steps.at(-1) && step.replicas === '100%' && !keepsOld[style]
}

/** The release is in a step that is the end. */
export function isFullLastStep(s: Snapshot): boolean {
  return isTheEnd(s.rollout!, currentStep(s))
}

/** Where a changed plan goes on: the current step, else the first, that covers what was let out. */
export function stepForChangedPlan({ rollout, memory, workload }: Snapshot): number {
  const steps = rollout!.steps
  const { replicas, hold, goingBack } = workload!
  const of = goingBack?.of ?? replicas
  const out = podCount(hold?.pods ?? 0, of)
  const indexes = steps.map((_, i) => i + 1).filter(i => i !== memory.stepIndex)
  if (memory.stepIndex <= steps.length) indexes.unshift(memory.stepIndex)
  const covering = indexes.find(i => podCount(steps[i - 1]!.replicas, of) >= out)
  return covering ?? indexes.at(-1)!
}

/** The release that is remembered brings the stable revision back, by the steps. */
export function isWayBack({ stableRevision, canaryRevision }: Memory): boolean {
  return canaryRevision !== '' && canaryRevision === stableRevision
}
