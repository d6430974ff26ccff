// Rules of going forward, and what the source looks like without each.

import type { Rule } from './rule.ts'

const abort = 'core/workload/deployment-abort.ts'
const adapter = 'core/workload/deployment-admission.ts'
const fields = 'core/workload/deployment-fields.ts'
const firstHold = 'core/admission/first-hold.ts'
const planSteps = 'core/rollout/plan-steps.ts'
const ready = 'core/workload/ready.ts'
const replicas = 'core/replicas.ts'
const rules = 'core/workload/deployment-rules.ts'
const sharedRules = 'core/workload/rules.ts'
const seen = 'core/workload/workload-seen.ts'
const waves = 'core/workload/deployment-waves.ts'

const fieldsTest = 'core/workload/deployment-fields.test.ts'
const goingForward = 'test/scenarios/going-forward.test.ts'
const handsOn = 'test/scenarios/hands-on.test.ts'
const replicasTest = 'core/replicas.test.ts'
const reviewTest = 'core/admission/review.test.ts'
const rulesTest = 'core/workload/deployment-rules.test.ts'

/** How a release goes forward: the budget, the surge, the pauses, the waves. */
export const forwardRules: readonly Rule[] = [
  [
    'as many may be missing beside the Ready new pods as the owner allows',
    waves,
    'ready + w.promised.maxUnavailable',
    'ready',
    rulesTest,
  ],
  [
    'a budget never shrinks below the pods that are out',
    waves,
    'Math.max(ready + w.promised.maxUnavailable, out)',
    'ready + w.promised.maxUnavailable',
    rulesTest,
  ],
  [
    'a budget is never more than the step wants',
    waves,
    'return Math.min(n, Math.max(',
    'return Math.max(0, Math.max(',
    rulesTest,
  ],
  [
    'a last step of 100% is the end',
    planSteps,
    "&& step.replicas === '100%'",
    "&& step.replicas === '101%'",
    goingForward,
  ],
  [
    'a last step of less waits for its approval',
    planSteps,
    "&& step.replicas === '100%'",
    '',
    goingForward,
  ],
  [
    'budget and surge together are never more than the step wants',
    waves,
    'Math.min(w.promised.maxSurge, n - budget)',
    'w.promised.maxSurge',
    rulesTest,
  ],
  [
    'a surge is never more than the owner allows',
    waves,
    'Math.min(w.promised.maxSurge, n - budget)',
    'n - budget',
    rulesTest,
  ],
  [
    'the controller-manager must have seen the Deployment',
    rules,
    'if (w.seen.observed && !scaling)',
    'if (!scaling)',
    rulesTest,
  ],
  [
    'every ReplicaSet must have been scaled for the size that is wanted',
    rules,
    'n !== undefined && n !== w.replicas',
    'false',
    rulesTest,
  ],
  [
    'an edit on a half-broken workload takes nobody else away',
    adapter,
    'unavailable - missing',
    'unavailable',
    reviewTest,
  ],
  [
    'the pods that are Ready are those of the stored status',
    adapter,
    'before.status?.readyReplicas',
    'object.status?.readyReplicas',
    reviewTest,
  ],
  [
    'more missing pods than allowed make no budget below 0',
    adapter,
    'Math.max(0, unavailable - missing)',
    'unavailable - missing',
    reviewTest,
  ],
  [
    'pods that get Ready one by one do not cost a write each',
    rules,
    'worth < quarter',
    'worth < 1',
    rulesTest,
  ],
  [
    'a quarter of what the owner allows is worth a write',
    rules,
    'worth >= 0 && worth < quarter',
    'worth >= 0',
    rulesTest,
  ],
  [
    'pods count for a next wave when they have been Ready for a second',
    rules,
    'readyFor(w.update, minReadySeconds + 1, target.now)',
    'readyFor(w.update, minReadySeconds, target.now)',
    rulesTest,
  ],
  [
    'who waits for that second looks again when it is over',
    rules,
    '...(due !== undefined && { requeueAt: due })',
    '',
    rulesTest,
  ],
  [
    'a pod is Ready when it has been so for the owner’s minReadySeconds',
    ready,
    'now - seconds * 1000',
    'now',
    rulesTest,
  ],
  [
    'a percent below 100% leaves one old pod',
    replicas,
    'replicas > 1 ? Math.min(count, replicas - 1) : count',
    'count',
    replicasTest,
  ],
  [
    'a percent of pods is rounded up',
    replicas,
    'Math.ceil((amount.value',
    'Math.floor((amount.value',
    replicasTest,
  ],
  ['no new pod is a pause', fields, "hold.mode !== 'back'", 'false', fieldsTest],
  [
    'an owner’s pause in a wave keeps its budget and surge',
    fields,
    "hold.mode === 'wave' ? own.paused :",
    "hold.mode === 'wave' ? false :",
    handsOn,
  ],
  [
    'an edit under a paused Rollout starts no pod',
    firstHold,
    'const paused = rollout.paused || adapter.paused(owner)',
    'const paused = adapter.paused(owner)',
    reviewTest,
  ],
  [
    'an edit of a workload that its owner paused starts no pod',
    firstHold,
    'const paused = rollout.paused || adapter.paused(owner)',
    'const paused = rollout.paused',
    reviewTest,
  ],
  [
    'the first pods of an edit come beside all others',
    adapter,
    ': Math.min(surge, n)',
    ': 0',
    reviewTest,
  ],
  [
    'one is let out at most before pods of the version are counted that may run already',
    adapter,
    'mayRun ? 1 : ',
    '',
    reviewTest,
  ],
  [
    'nobody comes beside pods of the version that may run already, where one may be missing',
    adapter,
    'mayRun && spare > 0 ? 0 : ',
    '',
    reviewTest,
  ],
  [
    'no more is let out while the controller-manager counts armed pods as available',
    rules,
    'steered, countedByManager, withdrawn',
    'steered, withdrawn',
    rulesTest,
  ],
  [
    'nor while the release is paused',
    rules,
    'disarmed, countedByManager, withdrawn',
    'disarmed, withdrawn',
    rulesTest,
  ],
  [
    'what comes beside is part of what the step wants',
    adapter,
    'Math.min(n - beside, spare)',
    'Math.min(n, spare)',
    reviewTest,
  ],
  [
    'an edit for which there is no room starts no pod',
    adapter,
    'if (budget + beside === 0)',
    'if (false)',
    reviewTest,
  ],
  [
    'a pause never lowers the surge while there are too many pods',
    abort,
    'w.promised.maxUnavailable > 0 && w.total <= w.replicas',
    'w.promised.maxUnavailable > 0',
    rulesTest,
  ],
  [
    'the first step’s budget is in the answer to the edit',
    firstHold,
    'const rests = paused || isHeldBack(review) || ran !== undefined',
    'const rests = true',
    reviewTest,
  ],
  [
    'pods that were let out stay when a step goes back',
    sharedRules,
    'Math.max(n, before)',
    'n',
    rulesTest,
  ],
  [
    'a hold that did not take is sent again',
    rules,
    'if (w.projected || !w.hold) return',
    'if (w.projected || w.hold) return',
    rulesTest,
  ],
  [
    'a hold that is sent again lets out no more than the step wants',
    rules,
    'holdChange(w, narrowed(w, n))',
    'holdChange(w, w.hold)',
    rulesTest,
  ],
  [
    'annotation and fields of a hold are compared',
    seen,
    'hold === undefined || fields.projected(object, hold, owner)',
    'true',
    rulesTest,
  ],
]
