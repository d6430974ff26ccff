// Rules of admission, and the source without each.

import type { Rule } from './rule.ts'

const marks = 'core/admission/marks.ts'
const wishes = 'core/admission/wishes.ts'
const review = 'core/admission/review.ts'
const between = 'core/admission/between.ts'
const requestsTest = 'core/admission/requests.test.ts'

const reviewTest = 'core/admission/review.test.ts'
const caught = 'core/admission/caught.ts'
const caughtTest = 'core/admission/caught.test.ts'
const deploymentAdmission = 'core/workload/deployment-admission.ts'
const copies = 'core/workload/copies.ts'
const hold = 'core/workload/hold.ts'
const holdTest = 'core/workload/hold.test.ts'

/** What admission makes of a write, by whomever. */
export const admissionRules: readonly Rule[] = [
  [
    'an edit while the wave before is being carried out begins with nobody',
    deploymentAdmission,
    'if (holdOf(before) && !isObserved(before)) return standing(before, object)',
    '',
    reviewTest,
  ],
  [
    'an edit while the wave before is being carried out keeps whom that lets run beside the others',
    deploymentAdmission,
    'roomIn(before), surgeFor',
    'surgeFor',
    reviewTest,
  ],
  [
    'who is leaving after a scaling is not kept',
    deploymentAdmission,
    'Math.min(before.status?.replicas ?? 0, mostIn(before))',
    'before.status?.replicas ?? 0',
    reviewTest,
  ],
  [
    'whoever stands beside the others once all may go is kept',
    deploymentAdmission,
    'if (hold && !isInForce(hold)) return Infinity\n',
    '',
    'core/workload/blue-green.test.ts',
  ],
  [
    'the room beside the others is the owner’s own once all may go',
    deploymentAdmission,
    'hold && isInForce(hold) ? hold.surge',
    'hold ? hold.surge',
    'core/workload/blue-green.test.ts',
  ],
  [
    'a hold without a plan keeps all pods',
    review,
    '...adapter.keepingAll(stopped, before, review.object),',
    '...stopped,',
    'core/workload/blue-green.test.ts',
  ],
  [
    'what stood still while the webhook was away is no pause of the owner',
    'core/workload/deployment-fields.ts',
    " || (key === 'paused' && is.paused === hold.paused)",
    '',
    'test/scenarios/hands-on.test.ts',
  ],
  [
    'a view of the past ends no release',
    'core/rollout/phases.ts',
    'workload?.uid === memory.workloadUid &&',
    'false &&',
    'test/scenarios/late-watches.test.ts',
  ],
  [
    'an edit that comes with the first pods is not held',
    review,
    'adapter.replicas(before) === 0)',
    'adapter.replicas(before) < 0)',
    reviewTest,
  ],
  [
    'an edit of a workload without pods is not held',
    review,
    'adapter.replicas(object) === 0)',
    'adapter.replicas(object) < 0)',
    reviewTest,
  ],
  [
    'a version whose pods may stand lets nobody out before they are counted',
    between,
    ' || between.includes(namePart(version))',
    '',
    reviewTest,
  ],
  [
    'amid a native rollout pods of any version may stand',
    between,
    '? undefined : [ANY]',
    '? undefined : undefined',
    reviewTest,
  ],
  [
    'after more edits than are remembered nobody is let out before all are counted',
    between,
    'between.length === mostBetween || ',
    '',
    reviewTest,
  ],
  [
    'a hold counts only from our controller',
    review,
    'if (!fromController || !asked) return hold',
    'if (!asked) return hold',
    reviewTest,
  ],
  ['a hold counts only as the next one', review, ' && asked.seq === hold.seq + 1', '', reviewTest],
  [
    'a hold counts only for the same release',
    review,
    'asked.rolloutId === hold.rolloutId && asked',
    'asked',
    reviewTest,
  ],
  [
    'a copy that is created has no hold',
    review,
    'if (!before) return cleaned(review)',
    "if (!before) return { ...review, outcome: 'untouched', warnings: [] }",
    reviewTest,
  ],
  [
    'a copy that is put in place has no hold',
    review,
    'if (!carries) return',
    'if (carries || !carries) return',
    reviewTest,
  ],
  [
    'the old template gives everything back in the same write',
    review,
    'if (review.version === record.stable) return backToStable(held)',
    '',
    reviewTest,
  ],
  [
    'a rollback ends the owner’s pause',
    review,
    'paused ? adapter.unpaused(owner) : owner',
    'owner',
    reviewTest,
  ],
  [
    'a new template that meets the end of a hold is held',
    review,
    'if (over) return begun(review, heldOwner(held))',
    '',
    reviewTest,
  ],
  [
    'stable stays what it was at the first edit',
    review,
    'heldOwner(held), record.stable)',
    'heldOwner(held))',
    reviewTest,
  ],
  ['an owner’s edit is recorded', review, '{ ...record, owner })', 'record)', reviewTest],
  [
    'a workload that is resumed lets no more out than its step',
    review,
    'return fits ? hold :',
    'return fits || !fits ? hold :',
    reviewTest,
  ],
  [
    'a hold that is over gives the owner’s values back',
    review,
    "if (hold.mode === 'released') {\n",
    'if (hold.seq < 0) {\n',
    reviewTest,
  ],
  [
    'a second look at an owner’s edit finds it recorded',
    wishes,
    'isNext(held, hold) || isOfThisRequest(held, hold)',
    'isOfThisRequest(held, hold)',
    reviewTest,
  ],
  [
    'what an owner wrote while nobody answered is found beside a hold that stands',
    wishes,
    'return adapter.ownerOfHeld(object, adapter.noted(hold, object, carried.owner), carried)',
    'return carried.owner',
    'core/admission/unseen-pause.test.ts',
  ],
  [
    'a manifest cannot take our marks away',
    marks,
    'if (!before || !rollout || fromController) return object',
    'return object',
    reviewTest,
  ],
  [
    'a label of another release says nothing of this one',
    hold,
    "if (label.split('.')[1] !== releaseOf(begun)) return undefined",
    '',
    holdTest,
  ],
  [
    'a label that is older than the annotation says nothing',
    hold,
    'read && read.seq >= begun.seq',
    'read',
    holdTest,
  ],
  [
    'what does not fit into a label is told by the annotation',
    hold,
    'text.length <= longestLabel ?',
    'true ?',
    holdTest,
  ],
  [
    'how far a release has come stays, or goes, with its hold',
    marks,
    'return labelled(marked, WAVE, wave)',
    'return marked',
    reviewTest,
  ],
  [
    'a catch keeps how far a release has come',
    caught,
    'return labelled(caught, WAVE, held ? before.metadata.labels?.[WAVE] : undefined)',
    'return labelled(caught, WAVE, undefined)',
    caughtTest,
  ],
  [
    'what stands on a workload that nobody guards is a copy',
    copies,
    'metadata.labels?.[WORKLOAD_TYPE] !== undefined',
    'true',
    reviewTest,
  ],
  [
    'a hold whose label alone is gone still counts',
    copies,
    'counts || armed(object)',
    'counts',
    reviewTest,
  ],
  [
    'what is caught waits for the word of our controller',
    review,
    'if (!fromController || stable === undefined) {',
    'if (stable === undefined) {',
    caughtTest,
  ],
  [
    'a catch hides no version whose pods may stand',
    between,
    'hold && isCaught(before!) ? [heldName(hold)] : []',
    '[]',
    caughtTest,
  ],
  [
    'the version that is released goes on after a catch',
    review,
    'isHeldVersion(held) ? projected(held) : begun',
    'begun',
    caughtTest,
  ],
  [
    'a pause of the policy is not the owner’s',
    caught,
    'withoutCatch(asCarried(adapter, object))',
    'withoutCatch(object)',
    caughtTest,
  ],
  [
    'who resumes a caught workload is heard',
    deploymentAdmission,
    "if (word === 'paused') return object",
    "if (word === 'paused') return { ...object, spec: { ...object.spec, paused: true } }",
    caughtTest,
  ],
  [
    'no pod starts before the Service leaves it out',
    'core/admission/requests.ts',
    ' || isRoutedAtOnce(rollout)',
    '',
    requestsTest,
  ],
  [
    'no pod leaves for a third version while requests may be sent to it',
    'core/admission/requests.ts',
    'if (record && movesRequests(record)) return true',
    '',
    requestsTest,
  ],
  [
    'no pod starts with an edit before a TrafficRouting is known to be there',
    'core/admission/requests.ts',
    'rollout.trafficRouting !== undefined ||',
    '',
    requestsTest,
  ],
  [
    'no pod goes back while requests may be sent to it',
    review,
    "if (movesRequests(held.record) && hold.mode !== 'released') return requestsFirst(held, wanted)",
    '',
    requestsTest,
  ],
]
