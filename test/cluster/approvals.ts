// How a test goes through the steps of a release, by approving them as a person would.

import { releaseIn } from '#core/rollout/release-status.ts'
import type { Story } from './story.ts'

/** Approves until the step has reached its pause; 0: does not wait for anything. */
export async function walkTo(story: Story, step: number): Promise<void> {
  for (let reached = 1; reached <= step; reached++) {
    await story.reached(reached)
    if (reached < step) await story.approve()
  }
}

/** Approves what is left to approve, and waits until all is Healthy and nothing holds it. */
export async function walkToTheEnd(story: Story): Promise<void> {
  await story.until('phase Healthy', async () => {
    const { status } = await story.rollout()
    if (releaseIn(status)?.currentStepState === 'StepPaused') await story.approve()
    // Right after an edit the status still tells of the release before.
    return status?.phase === 'Healthy' && (await story.free())
  })
  await story.caughtUp()
}
