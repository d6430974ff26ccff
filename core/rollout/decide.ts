// Every decision about a Rollout is made here, from two tables: phases.ts says which plan applies,
// `plans` says which goals it reaches, in what order, and what then. A transition needs proof in the
// snapshot, never the memory of a write, so a lost or repeated reconcile is harmless.

import { ESCAPE } from '#api/names.ts'
import { escapeCommand, resumeWorkloadCommand, unpauseCommand } from '../commands.ts'
import {
  abortForgotten,
  abortTold,
  allStable,
  besideGone,
  escapeForgotten,
  givenBack,
  goingBack,
  guarded,
  kept,
  leftMended,
  lettingAllGo,
  nativeForgotten,
  pauseOver,
  podsLabelled,
  podsUpdated,
  promoted,
  requestsAnswered,
  requestsAnsweredIfTaken,
  requestsBack,
  requestsFree,
  requestsReady,
  requestsSplit,
  requestsToNew,
  rewound,
  rolledOut,
  takenOver,
  unblocked,
  unguarded,
  unhindered,
} from './goals.ts'
import {
  begin,
  cancel,
  forget,
  freeze,
  jump,
  nextStep,
  promote,
  refuse,
  relocate,
  settle,
  stay,
  stayInStep,
} from './outcomes.ts'
import { routingHome, routingReached, routingReady } from './routing-goals.ts'
import { HOLD_REFUSED, aborted, notAlone, stepName, tell, untold } from './events.ts'
import { defined } from '../defined.ts'
import { toldOf } from './message.ts'
import { isFullLastStep, naturalNext } from './plan-steps.ts'
import { planFor } from './phases.ts'
import { blocked, disabled, idle, patiently, phaseKept, progressing } from './standings.ts'
import { disabledAlone, notThere } from './unguarded.ts'
import type { PlanName } from './phases.ts'
import type { Action, Decision, Goal, Memory, Plan, Snapshot, StepState } from './model.ts'

/** What each plan reaches, in order, and what it leads to. */
export const plans: Readonly<Record<PlanName, Plan>> = {
  NotAlone: {
    goals: [],
    done: stay(notAlone),
    standing: blocked('KruiseRunning'),
  },
  LeftByKruise: {
    goals: [leftMended],
    done: stay(() => ''),
    standing: blocked('LeftByKruise'),
  },
  Orphaned: {
    goals: [takenOver, requestsFree, routingHome, givenBack, unhindered, unguarded],
    done: stay(() => 'the Rollout is deleted'),
    standing: () => ({ phase: 'Terminating', reconciling: true }),
  },
  Caught: {
    goals: [takenOver],
    done: stay(() => 'an edit that the policy caught is taken over'),
    standing: s => ({ phase: phaseKept(s), notReady: 'EditCaught', reconciling: true }),
  },
  Refused: {
    goals: [],
    done: refuse,
    standing: s => blocked(s.rollout!.refused!.reason)(s),
  },
  Unseen: {
    goals: [],
    done: stay(s => s.unseen!.sentences.join('; ')),
    standing: s => ({
      phase: phaseKept(s),
      notReady: s.unseen!.reason,
      unseen: true,
      reconciling: true,
    }),
  },
  Missing: {
    goals: [requestsFree],
    done: forget(({ rollout }) => {
      return rollout!.disabled ? disabledAlone(rollout!.ref) : notThere(rollout!.ref)
    }),
    standing: ({ rollout }, met) => {
      if (rollout!.disabled) return disabled(met)
      return { phase: 'Initial', notReady: 'WorkloadNotFound', reconciling: true }
    },
  },
  Replaced: {
    goals: [requestsFree],
    done: forget(() => 'the workload was deleted and created again: its release is over'),
    standing: () => ({ phase: 'Initial', reconciling: true }),
  },
  Foreign: {
    goals: [requestsFree, routingHome, givenBack],
    done: stay(() => 'given back: it was held by a Rollout that is gone'),
    standing: () => ({ phase: 'Initial', notReady: 'WorkloadHeld', reconciling: true }),
  },
  Disabled: {
    goals: [requestsFree, routingHome, givenBack, unhindered, nativeForgotten],
    done: forget(() => 'disabled: edits of the workload roll out natively'),
    standing: (_, met) => disabled(met),
  },
  NotGuarding: {
    goals: [guarded],
    done: stay(() => 'the webhook is not registered: an edit would roll out at once'),
    standing: s => ({
      phase: phaseKept(s),
      notReady: 'NotGuarding',
      reconciling: true,
    }),
  },
  Beginning: { goals: [], done: begin, standing: progressing('Initializing') },
  Aborting: {
    goals: [rewound, requestsBack, routingHome, allStable, requestsFree, abortTold],
    done: stay(s => aborted(s).message),
    standing: (s, met) => {
      const waiting = patiently(s, 'Cancelling')
      return met ? { ...waiting, reconciling: false, stalled: 'Aborted' } : waiting
    },
  },
  Cancelling: {
    goals: [
      requestsBack,
      routingHome,
      besideGone,
      goingBack,
      unhindered,
      unblocked,
      rolledOut,
      requestsFree,
      givenBack,
    ],
    done: cancel,
    standing: progressing('Cancelling'),
  },
  Finishing: {
    goals: [
      requestsToNew,
      routingHome,
      lettingAllGo,
      unhindered,
      unblocked,
      rolledOut,
      podsLabelled,
      requestsFree,
      promoted,
    ],
    done: promote,
    standing: s => patiently(s, isFullLastStep(s) ? 'InRolling' : 'Finalising'),
  },
  Resting: {
    goals: [guarded, requestsFree, givenBack, unhindered, unblocked, rolledOut, escapeForgotten],
    done: settle,
    standing: (s, met) => ({
      phase: s.memory.stableRevision === '' && !s.workload!.rolledOut ? 'Initial' : 'Healthy',
      reconciling: false,
      ...(s.memory.ending && { progressing: 'Completed' }),
      ...idle(s, met),
    }),
  },
  Escaped: {
    goals: [],
    done: stay(escaped),
    standing: s => ({ phase: phaseKept(s), notReady: 'Escaped', reconciling: true }),
  },
  Frozen: {
    goals: [requestsAnsweredIfTaken, kept, requestsAnswered],
    done: freeze(frozen),
    standing: progressing('Paused'),
  },
  PlanChanged: { goals: [], done: relocate, standing: progressing('InRolling') },
  Jumping: { goals: [], done: jump, standing: progressing('InRolling') },
  NoSuchStep: { goals: [], done: stayInStep, standing: progressing('InRolling') },
  Approved: { goals: [], done: nextStep, standing: progressing('InRolling') },
  Stepping: {
    goals: [
      abortForgotten,
      requestsAnswered,
      requestsReady,
      routingReady,
      podsUpdated,
      podsLabelled,
      requestsSplit,
      routingReached,
      pauseOver,
    ],
    done: nextStep,
    standing: s => patiently(s, 'InRolling'),
  },
}

/** What to do now. Pure: the same snapshot gives the same decision. */
export function decide(snapshot: Snapshot): Decision {
  const actions: Action[] = []
  let s = snapshot
  // Each round changes the memory or is the last: a release has fewer turns than this in one go.
  for (let round = 0; round < 100; round++) {
    const plan = plans[planFor(s)]
    const goal = plan.goals.find(each => !each.met(s))
    if (goal) {
      const decision = reaching(s, plan, goal)
      return { ...decision, actions: [...actions, ...decision.actions] }
    }
    const outcome = plan.done(s)
    if (sameMemory(outcome.memory, s.memory)) {
      const standing = plan.standing(s, true)
      const message = toldOf(s, outcome.message)
      return { actions, memory: s.memory, standing, message }
    }
    actions.push(...(outcome.events ?? []).map(tell))
    s = { ...s, memory: outcome.memory }
  }
  throw new Error(`no end of plans for ${snapshot.rollout?.namespace}/${snapshot.rollout?.name}`)
}

/** What is done for the first goal that is not met, and why it is waited for. */
function reaching(s: Snapshot, plan: Plan, goal: Goal): Decision {
  const { actions = [], memory = s.memory, ...rest } = goal.act(s)
  const after = memory === s.memory ? s : { ...s, memory }
  const standing = plan.standing(after, false)
  const finalising = plan === plans.Stepping ? undefined : goal.task?.(after)
  const refused = s.holdRefused && ({ notReady: 'HoldRefused' } as const)
  return {
    actions: [...actions, ...untold(after, goal)],
    memory: plan === plans.Stepping ? named(after, goal) : withRevisions(after),
    standing: {
      ...standing,
      ...defined({ notReady: goal.blocked?.(after), finalising }),
      ...refused,
    },
    message: toldOf(after, s.holdRefused ? HOLD_REFUSED : goal.why(after)),
    ...rest,
  }
}

/** The state's name follows from the goal; what people wrote there is used up, or refused. */
function named(s: Snapshot, goal: Goal): Memory {
  const { rollout, workload } = s
  const memory = withRevisions(s)
  return {
    ...memory,
    canaryRevision: workload!.updateRevision || memory.canaryRevision,
    nextStepIndex: naturalNext(rollout!, memory.stepIndex),
    state: stateAt(memory, goal),
  }
}

function stateAt({ pauseReached }: Memory, { state = 'StepUpgrade' }: Goal): StepState {
  return pauseReached ? 'StepPaused' : state
}

/** A release learns its revision, which is made a moment after the edit; of a way back it is the stable one. */
function withRevisions({ memory, workload }: Snapshot): Memory {
  const its = memory.releasing && workload?.hold?.rolloutId === memory.release
  if (!its) return memory
  const { updateRevision, goingBack } = workload
  // The stable template that returns before anybody was new is no new version.
  const isNew = goingBack !== undefined || updateRevision !== memory.stableRevision
  return {
    ...memory,
    canaryRevision: memory.canaryRevision || (isNew ? updateRevision : ''),
    stableRevision: memory.stableRevision || (goingBack ? updateRevision : ''),
  }
}

function sameMemory(a: Memory, b: Memory): boolean {
  return (Object.keys(a) as (keyof typeof a)[]).every(key => a[key] === b[key])
}

function escaped({ workload }: Snapshot): string {
  const command = escapeCommand(workload!.ref)
  return `${ESCAPE} is set, but the hold's fields are still there: take it away, or give the workload back with: ${command}`
}

function frozen(s: Snapshot): string {
  const { rollout, workload, adapter } = s
  const [where, command] = rollout!.paused
    ? [', in the Rollout', unpauseCommand(rollout!)]
    : ['', resumeWorkloadCommand(workload!.ref, adapter!)]
  return `${stepName(s)} is paused by its owner${where}; go on with: ${command}`
}
