// For how long Rollouts wait, and for what: the reason that their conditions give, from one decision
// to the next.

import { PROGRESSING_REASONS, READY_REASONS, STALLED_REASONS } from '#api/names.ts'
import type { Decision } from '#core/rollout/model.ts'

const { Guarding: _, Releasing: __, ...notReady } = READY_REASONS
const { Completed: ___, ...progressing } = PROGRESSING_REASONS

/** For what a Rollout can wait: reasons of its conditions. */
export type WaitReason =
  | keyof typeof STALLED_REASONS
  | keyof typeof notReady
  | keyof typeof progressing
  | 'StepPaused'
  | 'Disabling'
  | 'Terminating'

/** All of them, each once. */
export const waitReasons = [
  ...new Set([
    ...(Object.keys({ ...STALLED_REASONS, ...notReady, ...progressing }) as WaitReason[]),
    'StepPaused' as const,
    'Disabling' as const,
    'Terminating' as const,
  ]),
]

/** Adds seconds to a reason. */
export type Waited = (reason: WaitReason, seconds: number) => void

/** The waits of one term of leading. */
export interface Waits {
  /** What the Rollouts of a workload wait for from now on. */
  readonly see: (key: string, reasons: readonly WaitReason[]) => void
  /** Adds what has passed so far of the waits that are not over. */
  readonly settle: () => void
}

/** Nobody waits yet. `now` is in milliseconds. */
export function createWaits(waited: Waited, now: () => number = () => performance.now()): Waits {
  const waits = new Map<
    string,
    { readonly reasons: readonly WaitReason[]; readonly since: number }
  >()
  const settleOne = (key: string, at: number) => {
    const wait = waits.get(key)
    if (!wait) return
    for (const reason of wait.reasons) waited(reason, (at - wait.since) / 1000)
    waits.set(key, { ...wait, since: at })
  }
  return {
    see(key, reasons) {
      const at = now()
      settleOne(key, at)
      if (reasons.length === 0) waits.delete(key)
      else waits.set(key, { reasons, since: at })
    },
    settle() {
      const at = now()
      for (const key of waits.keys()) settleOne(key, at)
    },
  }
}

/** What a decision leaves its Rollout waiting for. */
export function waitOf({ memory, standing }: Decision): WaitReason | undefined {
  const why = standing.stalled ?? standing.notReady
  if (isWait(why)) return why
  if (!standing.reconciling) return undefined
  const paused = memory.pauseReached && standing.progressing === 'InRolling'
  const on = paused ? 'StepPaused' : (standing.progressing ?? standing.phase)
  return isWait(on) ? on : undefined
}

function isWait(word: string | undefined): word is WaitReason {
  return waitReasons.some(reason => reason === word)
}
