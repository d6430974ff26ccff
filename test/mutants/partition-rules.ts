// Rules by which a workload with a partition is held, and the source without each.

import type { Rule } from './rule.ts'

const fields = 'core/workload/partition-fields.ts'
const rules = 'core/workload/partition-rules.ts'
const shared = 'core/workload/rules.ts'
const view = 'core/workload/partition-view.ts'
const orders = 'core/workload/partition-orders.ts'
const places = 'core/workload/partition-places.ts'
const moves = 'core/workload/moves.ts'
const kruiseSets = 'core/workload/kruise-stateful-set.ts'
const goals = 'core/rollout/goals.ts'
const unseen = 'core/rollout/unseen.ts'
const clones = 'core/workload/clone-set.ts'
const kindsTest = 'core/workload/partition-kinds.test.ts'
const thresholdTest = 'core/rollout/failure-threshold.test.ts'
const rulesTest = 'core/workload/partition-rules.test.ts'
const contract = 'test/contracts/workload.test.ts'
const phases = 'core/rollout/phases.ts'
const review = 'core/admission/review.ts'
const bySteps = 'core/workload/rollback-in-steps.test.ts'
const decide = 'core/rollout/decide.ts'
const ordered = 'test/scenarios/ordered.test.ts'
const backStory = 'test/scenarios/rollback-in-steps.test.ts'

/** A row for each. */
export const partitionRules: readonly Rule[] = [
  [
    'a way back reaches one that new pods stand above',
    rules,
    'w.updated < n ? next : 0',
    '0',
    bySteps,
  ],
  [
    'a broken pod of which no release was seen is taken out of the way',
    decide,
    'unhindered, unblocked, rolledOut, escapeForgotten',
    'unhindered, rolledOut, escapeForgotten',
    ordered,
  ],
  [
    'a broken pod is taken out of the way of the last step, too',
    decide,
    'unblocked,\n      rolledOut,\n      podsLabelled,',
    'rolledOut,\n      podsLabelled,',
    ordered,
  ],
  [
    'nobody is kept as a version that nobody wants',
    rules,
    'if (w.adrift) return',
    'if (false) return',
    ordered,
  ],
  [
    'while one of an older version serves the step stands',
    view,
    'pod.revision === update!.hash || pod.readySince === undefined',
    'true',
    rulesTest,
  ],
  [
    'what nobody ran when the release began is no stable version',
    view,
    "hash === '' || adrift || ",
    "hash === '' || ",
    ordered,
  ],
  [
    'the owner’s own partition is never undercut',
    fields,
    'return keepsMore ? own : kind.partitionFor(old, size)',
    'return kind.partitionFor(old, size)',
    rulesTest,
  ],
  [
    'what stands still lets nobody be new, however many pods there will be',
    fields,
    "if (hold.mode !== 'wave') return NOBODY",
    '',
    contract,
  ],
  [
    'the projected partition is no wish of the owner',
    fields,
    'if (!isOurs(is) && (is === undefined || !ours.includes(is))) return',
    'if (!isOurs(is)) return',
    contract,
  ],
  [
    'what its owner left out is left out again',
    places,
    'return isSaid(strategy) || own !== null ? strategy : undefined',
    'return strategy',
    contract,
  ],
  [
    'a scaling is projected',
    rules,
    'if (w.projected || !w.hold) return undefined',
    'if (w.projected || w.hold) return undefined',
    rulesTest,
  ],
  [
    'pods are counted once its controller has seen the latest change',
    shared,
    'if (seen.observed) return undefined',
    'if (seen.observed || !seen.observed) return undefined',
    rulesTest,
  ],
  [
    'what came up new too early goes back',
    rules,
    'if (early.length === 0) return undefined',
    'if (early.length >= 0) return undefined',
    rulesTest,
  ],
  [
    'no more pods leave at a time than may be missing',
    shared,
    'sound.slice(0, spare)',
    'sound',
    rulesTest,
  ],
  ['broken pods leave at any time', shared, '[...broken, ...sound', '[...sound', rulesTest],
  [
    'the lowest ordinals go back first',
    orders,
    'indexOf(a, seen) - indexOf(b, seen)',
    'indexOf(b, seen) - indexOf(a, seen)',
    rulesTest,
  ],
  [
    'a broken pod of a version between is taken out of the way',
    rules,
    'if (blocking.length === 0) return undefined',
    'if (blocking.length >= 0) return undefined',
    rulesTest,
  ],
  [
    'a stable pod that is not Ready yet is left alone',
    view,
    'wanted.some(version => version?.hash === revision)',
    'update?.hash === revision',
    rulesTest,
  ],
  [
    'an abort stops before anybody leaves',
    rules,
    'if (w.hold!.mode !== mode)\n',
    "if (mode === 'aborted' && w.hold!.mode !== mode)\n",
    rulesTest,
  ],
  [
    'nobody is sent back to a version that its controller has given up',
    view,
    'adrift || isGivenUp(seen, update)',
    'adrift',
    rulesTest,
  ],
  [
    'what everybody runs is noted where no older template is seen',
    moves,
    'return templatesSeen ? undefined : seen.fingerprint',
    'return undefined',
    rulesTest,
  ],
  [
    'what is beyond the size is not counted',
    orders,
    'indexOf(pod, seen) < seen.replicas',
    'indexOf(pod, seen) < Infinity',
    rulesTest,
  ],
  [
    'nobody is deleted who would come again as the same',
    view,
    "return next !== '' && next !== pod.revision",
    'return true',
    rulesTest,
  ],
  [
    'an abort needs a way back to the stable revision',
    rules,
    'const known = w.stable?.hash === currentOf(w)',
    'const known = w.stable',
    rulesTest,
  ],
  [
    'an abort needs a strategy that brings anybody back',
    rules,
    'if (w.unheldBecause !== undefined) return w.unheldBecause',
    '',
    rulesTest,
  ],
  [
    'who cannot go back stands still',
    shared,
    "if (hold!.mode === 'stop') return",
    'return',
    rulesTest,
  ],
  [
    'and is told again to, if the webhook did not answer',
    shared,
    'return sentAgain(w) ?? { changes: [], why }',
    'return { changes: [], why }',
    rulesTest,
  ],
  [
    'nobody is sent to an older version than the stable one',
    view,
    '&& order.comesAs(pod, seen, by) === stable?.hash',
    '',
    rulesTest,
  ],
  [
    'gaps between ordinals are no partition’s to count',
    kruiseSets,
    'if (!gaps || ',
    'if (gaps || !gaps || ',
    kindsTest,
  ],
  [
    'where pods are counted, gaps do not matter',
    kruiseSets,
    'if (!gaps || updateStrategy?.rollingUpdate?.unorderedUpdate) return',
    'if (!gaps) return',
    kindsTest,
  ],
  [
    'a step with a pod too many for good has its failureThreshold',
    goals,
    'updated === n || (updated > n &&',
    'updated === n && (updated > n &&',
    thresholdTest,
  ],
  [
    'and none while some are to go back',
    goals,
    '(updated > n && advanceMove(s)?.surplusStays === true)',
    'updated > n',
    thresholdTest,
  ],
  [
    'another version of a kind is no kind of its own',
    unseen,
    'if (known) return anotherVersion(ref, known)',
    '',
    'core/rollout/unseen.test.ts',
  ],
  [
    'on the way back minReadySeconds count',
    shared,
    'const available = readyFor(w.pods, w.seen.minReadySeconds, now)',
    'const available = readyFor(w.pods, 0, now)',
    rulesTest,
  ],
  [
    'by count no more go back than are to be old',
    orders,
    'room: ({ kept, old }) => Math.max(kept - old, 0)',
    'room: () => Infinity',
    kindsTest,
  ],
  [
    'a share is set only where it says exactly as many',
    clones,
    'return oldPods(share, size) === old ? share : old',
    'return share',
    kindsTest,
  ],
  [
    'the whole share of an owner keeps the last pod, no other does',
    clones,
    'return all && size > 1 ? old - 1 : old',
    'return old',
    kindsTest,
  ],
  [
    'a rollback by steps is for those that have left, as they are counted when it begins',
    view,
    "const ran = hold.mode === 'wave' ? scaled : updated",
    'const ran = scaled',
    bySteps,
  ],
  [
    'what a scaling took of those that never left is no part of them any more',
    view,
    'pods.length >= replicas ? Math.min(hold.ran, updated) : hold.ran',
    'hold.ran',
    bySteps,
  ],
  [
    'and who is missing for a moment still is',
    view,
    'pods.length >= replicas ? Math.min(hold.ran, updated) : hold.ran',
    'Math.min(hold.ran, updated)',
    bySteps,
  ],
  [
    'where a partition goes by ordinals, those that never left stand below the others',
    orders,
    'passed: ran => ran',
    'passed: () => 0',
    bySteps,
  ],
  [
    'a step brings as many back as it says, beside those that never left',
    'core/replicas.ts',
    'return ran + podCount(value, of)',
    'return podCount(value, ran + of)',
    bySteps,
  ],
  [
    'the stable template that goes by the steps ends nothing',
    phases,
    'isStableAgain(s) && !isGoingBack(s)',
    'isStableAgain(s)',
    backStory,
  ],
  [
    'an abort of it lets all go back',
    phases,
    'isHeld(s) && isAborted(s) && !isGoingBack(s)',
    'isHeld(s) && isAborted(s)',
    backStory,
  ],
  [
    'after an abort there is nothing to go by steps',
    review,
    "const isOut = !['back', 'aborted', 'released'].includes(held.hold.mode)",
    'const isOut = true',
    backStory,
  ],
  [
    'nobody goes back before those are counted that never left',
    'core/admission/first-hold.ts',
    'const rests = paused || isHeldBack(review) || ran !== undefined',
    'const rests = paused || isHeldBack(review)',
    contract,
  ],
  [
    'who follows no Rollout goes back at once',
    review,
    'asked && isOut && reasonNotHeld(review, owner) === undefined',
    'asked && isOut',
    backStory,
  ],
]
