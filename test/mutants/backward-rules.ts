// Rules of going back and of ReplicaSets that are not the newest, and the source without each.

import type { Rule } from './rule.ts'

const abort = 'core/workload/deployment-abort.ts'
const changes = 'core/workload/deployment-changes.ts'
const fields = 'core/workload/deployment-fields.ts'
const goals = 'core/rollout/goals.ts'
const moves = 'core/workload/moves.ts'
const told = 'core/workload/deployment-told.ts'
const rules = 'core/workload/deployment-rules.ts'

const goingForward = 'test/scenarios/going-forward.test.ts'
const handsOn = 'test/scenarios/hands-on.test.ts'
const rulesTest = 'core/workload/deployment-rules.test.ts'

/** How a release goes back, an abort ends, and what is stuck goes on. */
export const backwardRules: readonly Rule[] = [
  [
    'an armed ReplicaSet that is not the newest is disarmed',
    rules,
    'if (armed.length === 0 ||',
    'if (armed.length >= 0 ||',
    rulesTest,
  ],
  [
    'it is disarmed after a restore as well',
    rules,
    'resting: Rules = [mended, overtaken, disarmed]',
    'resting: Rules = [mended, overtaken]',
    rulesTest,
  ],
  [
    'one of a later edit than the Deployment that is known is left armed',
    rules,
    'resting: Rules = [mended, overtaken, disarmed]',
    'resting: Rules = [mended, disarmed]',
    rulesTest,
  ],
  [
    'nobody is moved by a Deployment that is older than its ReplicaSets',
    rules,
    '[heldAgain, mended, overtaken, seenByManager',
    '[heldAgain, mended, seenByManager',
    rulesTest,
  ],
  [
    'it is disarmed before any larger budget',
    rules,
    'steered, countedByManager, withdrawn, wave]',
    'countedByManager, withdrawn, wave, steered]',
    rulesTest,
  ],
  [
    'the revision between goes before the stable one',
    rules,
    'unarmed.map(set => setChange(set, patch))',
    '[] as Change[]',
    rulesTest,
  ],
  ['only while all old pods are Ready', rules, 'if (!calm ||', 'if (', rulesTest],
  [
    'only while old pods leave',
    rules,
    '!someLeave(w, w.update, target)',
    'someLeave.length < 0',
    goingForward,
  ],
  [
    'or will with the next wave',
    rules,
    'return running && update.ready > 0 &&',
    'return w.replicas < 0 && running && update.ready > 0 &&',
    rulesTest,
  ],
  [
    'a ReplicaSet is written with the size that is wanted in all',
    changes,
    '[DESIRED_REPLICAS]: String(w.replicas),',
    '',
    rulesTest,
  ],
  [
    'a ReplicaSet is written with the most pods in all',
    changes,
    '[MAX_REPLICAS]: String(w.replicas + surge),',
    '',
    rulesTest,
  ],
  [
    'the live surge counts for that',
    changes,
    'String(w.replicas + surge)',
    'String(w.replicas)',
    rulesTest,
  ],
  [
    'the write of a ReplicaSet is guarded',
    changes,
    'const { namespace, name, resourceVersion } = metadata',
    "const { namespace, name } = metadata\n  const resourceVersion = ''",
    rulesTest,
  ],
  [
    'more new pods than wanted go back',
    rules,
    '!w.hold || w.updated <= n)',
    '!w.hold || w.updated >= 0)',
    rulesTest,
  ],
  [
    'the budget is final before a ReplicaSet moves',
    rules,
    'if (!stands(w, still)) return {',
    'if (w.generation < 0) return {',
    rulesTest,
  ],
  [
    'the stable ReplicaSet goes up first',
    rules,
    'if (up > 0 && w.stable)',
    'if (up > 99 && w.stable)',
    rulesTest,
  ],
  [
    'it goes up within the owner’s surge',
    rules,
    'Math.min(w.replicas - n - (w.total - w.updated), room)',
    'w.replicas - n - (w.total - w.updated)',
    rulesTest,
  ],
  [
    'the new one goes down by what is too much',
    rules,
    'Math.min(w.updated - n, surplus, notReady',
    'Math.min(w.updated - n, w.updated, notReady',
    rulesTest,
  ],
  [
    'the new one goes down by what the owner can spare',
    rules,
    'surplus, notReady + Math.max(spare, 0))',
    'surplus)',
    rulesTest,
  ],
  [
    'broken pods of a version in between go first',
    rules,
    'if (broken && surplus > 0)',
    'if (broken && surplus > 99)',
    rulesTest,
  ],
  [
    'a frozen release takes back what a scaling let out',
    rules,
    'firstMove(still ? [heldAgain] : keeping, w,',
    'firstMove(still ? [heldAgain] : [], w,',
    rulesTest,
  ],
  [
    'what stands still is told to the webhook that was away',
    rules,
    'firstMove(still ? [heldAgain] : keeping, w,',
    'firstMove(still ? [] : keeping, w,',
    'test/scenarios/hands-on.test.ts',
  ],
  [
    'what is over is sent again until it has its fields',
    'core/workload/moves.ts',
    "const over = w.hold.mode === 'released'\n",
    "const over = w.hold.mode === 'released'\n  if (over) return undefined\n",
    'test/scenarios/hands-on.test.ts',
  ],
  [
    'an abort goes back until one new pod is left',
    rules,
    'firstMove(backward, w, { ...aim, n: 1 })',
    'firstMove(backward, w, { ...aim, n: 99 })',
    rulesTest,
  ],
  [
    'an abort goes back unpaused',
    rules,
    "const aim = { mode: 'back'",
    "const aim = { mode: 'wave'",
    rulesTest,
  ],
  [
    'then it pauses, with room for the last stable pod',
    abort,
    '{ ...stop, surge: beside(1, w) }',
    'stop',
    rulesTest,
  ],
  [
    'the last new pods go one by one',
    rules,
    'stopped, lastOneLeft, parted]',
    'stopped, parted]',
    rulesTest,
  ],
  [
    'the last new pod goes when another stands in for it',
    abort,
    'Math.min(most, set.replicas - set.ready + spare)',
    'most',
    rulesTest,
  ],
  [
    'an aborted workload is disarmed',
    fields,
    'aborted ? own.minReadySeconds : ARMED',
    'aborted ? 1 : ARMED',
    rulesTest,
  ],
  [
    'an aborted workload comes home after a scaling from nobody',
    rules,
    "w.hold?.mode === 'aborted' && home",
    "w.hold?.mode === 'aborted'",
    rulesTest,
  ],
  [
    'waiting clients are told of an abort',
    told,
    "const reason = 'ProgressDeadlineExceeded'",
    "const reason = 'DeploymentPaused'",
    rulesTest,
  ],
  [
    'without a stable ReplicaSet all may be new',
    rules,
    'n: alone ? w.replicas :',
    'n: !alone ? w.replicas :',
    rulesTest,
  ],
  [
    'that no stable ReplicaSet is left is told',
    goals,
    "stableRevision === '' ? stableGone(s) : cameUpNew(s)",
    'cameUpNew(s)',
    goingForward,
  ],
  [
    'a stuck ReplicaSet is mended',
    rules,
    'set.desiredReplicas === w.replicas) return undefined',
    'set.desiredReplicas !== 77) return undefined',
    rulesTest,
  ],
  [
    'a ReplicaSet is stuck only when the Deployment was seen',
    rules,
    'others.length > 0 || !w.seen.observed',
    'others.length > 0',
    rulesTest,
  ],
  [
    'fields of a hold that is gone are given back',
    moves,
    'if (!w.armed) return undefined',
    'if (w.armed) return undefined',
    rulesTest,
  ],
  [
    'the owner’s values are sent again until they stand',
    moves,
    'if (sent && w.projected) return undefined',
    'if (sent) return undefined',
    handsOn,
  ],
]
