// What must be true of every turn of the controller, whatever the workload is.

import { isDeepStrictEqual } from 'node:util'

import { expect } from 'vitest'

import { decide } from '#core/rollout/decide.ts'
import { wantsJump } from '#core/rollout/plan-steps.ts'
import type { Memory, Step } from '#core/rollout/model.ts'
import type { Turn } from '../world/controller.ts'
import type { Looked, Subject } from './subject.ts'

/** Nothing but the snapshot decides, and no write lets out more pods than the step wants. */
export function checkTurn(
  { checkWrites }: Pick<Subject, 'checkWrites'>,
  { snapshot, decision, written }: Turn,
): void {
  if (!snapshot || !decision) return
  const again = decide(snapshot)
  if (!isDeepStrictEqual(again, decision)) expect(again).toEqual(decision)
  expect(decision.message, 'a wait without a word').not.toBe('')
  if (decision.memory.releasing)
    expect(decision.message, 'a wait without an age').toMatch(/ since |^since /)
  checkApproval({ snapshot, decision })
  checkWrites({ snapshot, decision }, written)
}

/** An approval in the pause of a step ends that pause, and no other: none is lost or used twice. */
function checkApproval(looked: Looked): void {
  if (!isStepping(looked)) return
  const { memory, rollout } = looked.snapshot
  const after = looked.decision.memory
  const wentOn = after.state === 'Completed' || after.stepIndex > memory.stepIndex
  if (!wentOn && isApproved(memory)) expect(after.state, 'an approval').toBe('StepReady')
  if (wentOn && memory.state !== 'Completed') checkStep(looked, rollout!.steps)
}

/** The same release of the same plan, and nobody jumps or aborts. */
function isStepping({ snapshot, decision }: Looked): boolean {
  const { memory, rollout } = snapshot
  const after = decision.memory
  if (!rollout || !memory.releasing || wantsJump(snapshot)) return false
  const isSame = after.release === memory.release && after.planHash === memory.planHash
  return after.releasing && isSame && after.state !== 'BeforeStepUpgrade'
}

function checkStep({ snapshot, decision }: Looked, steps: readonly Step[]): void {
  const { memory, now } = snapshot
  const after = decision.memory
  const { pauseSeconds = Infinity } = steps[memory.stepIndex - 1]!
  const isOver = memory.pauseReached && now >= memory.since + pauseSeconds * 1000
  expect(isApproved(memory) || isOver, 'a step that nobody approved').toBe(true)
  const gone = after.state === 'Completed' ? 1 : after.stepIndex - memory.stepIndex
  expect(gone, 'steps by one approval').toBe(1)
}

function isApproved({ state, pauseReached }: Memory): boolean {
  return state === 'StepReady' && pauseReached
}
