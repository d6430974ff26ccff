// Rules of a release whose new pods run in a second Deployment, and the source without each.

import type { Rule } from './rule.ts'

const admission = 'core/workload/canary-admission.ts'
const made = 'core/workload/canary-made.ts'
const rules = 'core/workload/canary-rules.ts'
const beside = 'core/workload/beside.ts'
const view = 'core/workload/deployment-view.ts'
const rulesTest = 'core/workload/canary-rules.test.ts'
const reviewTest = 'core/admission/review.test.ts'

/** A row for each. */
export const canaryRules: readonly Rule[] = [
  ['the Deployment is paused', admission, ', paused: true }', ' }', reviewTest],
  [
    'a release keeps the style that it began with',
    'core/rollout/release-style.ts',
    "(hold.style ?? 'partition')",
    'asked',
    reviewTest,
  ],
  [
    'with nobody to run, no new pod runs',
    rules,
    'if (replicas > 0 || !canary',
    'if (replicas >= 0 || !canary',
    rulesTest,
  ],
  [
    'a hold that the webhook did not answer is sent again',
    'core/workload/rules.ts',
    'if (w.projected || !w.hold) return undefined',
    'if (w.projected || w.hold) return undefined',
    rulesTest,
  ],
  [
    'an edit that stood still goes on',
    rules,
    "if (w.hold?.mode === 'wave') return undefined",
    "if (w.hold?.mode !== 'finishing') return undefined",
    rulesTest,
  ],
  [
    'the pods of the version before go',
    rules,
    'empty ? without(others)',
    'empty ? undefined',
    rulesTest,
  ],
  ['they go before the next ones come', rules, 'filled.length > 0', 'filled.length < 0', rulesTest],
  [
    'and are waited for',
    rules,
    'total === 0 && seen.status.replicas === 0',
    'total === 0',
    rulesTest,
  ],
  ['what was let out stays', rules, 'canary.replicas >= n', 'canary.replicas === n', rulesTest],
  ['its pods are waited for', rules, 'updatedReady >= n', 'updatedReady >= 0', rulesTest],
  [
    'an abort deletes it',
    rules,
    '[sentAgain, noneBeside, wayBack, home, aborted]',
    '[sentAgain, wayBack, home, aborted]',
    rulesTest,
  ],
  [
    'an abort of the last roll brings its own new pods back',
    rules,
    'wayBack, home, aborted]',
    'wayBack, aborted]',
    rulesTest,
  ],
  [
    'no way back is told',
    rules,
    'return own.stable ? undefined',
    'return own ? undefined',
    rulesTest,
  ],
  [
    'other versions that a scaling from nobody brought up go',
    rules,
    'sentAgain, home, going,',
    'sentAgain, going,',
    rulesTest,
  ],
  [
    'who goes back stands still with the pods that there are',
    rules,
    'Math.max(total - replicas,',
    'Math.max(0,',
    rulesTest,
  ],
  [
    'on the way back nobody new is available',
    admission,
    "const back = hold.mode === 'back'",
    'const back = false',
    rulesTest,
  ],
  [
    'a forgotten stable version is not waited for',
    rules,
    'stable === undefined && total === 0',
    'stable === undefined && total > 0',
    rulesTest,
  ],
  [
    'a name that somebody else has is not asked for',
    rules,
    'if (w.nameTaken)',
    'if (!w.nameTaken && w.others.length > 99)',
    rulesTest,
  ],
  [
    'without the right to make Deployments none is made',
    'core/rollout/moves.ts',
    'changes: move.changes.filter(change => !isOfDeployment(change)), why',
    'why',
    'core/rollout/moves.test.ts',
  ],
  [
    'without the right to make Deployments new pods run within',
    'core/rollout/release-style.ts',
    "if (rollout.style !== 'canary') return rollout",
    "if (rollout.style === 'canary') return rollout",
    'core/rollout/parse.test.ts',
  ],
  [
    'at the end it goes before the hold',
    beside,
    'if (promote) return noneBeside(w) ?? release(w, promote)',
    '',
    rulesTest,
  ],
  [
    'what is left over goes without a hold, too',
    beside,
    'return release(w, promote) ?? noneBeside(w)',
    'return release(w, promote)',
    rulesTest,
  ],
  ['it selects by its release', made, ', [CANARY_RELEASE]: release } }', ' } }', rulesTest],
  [
    'labels that select are not patched away',
    made,
    '...labels, ...selector.matchLabels }',
    '...selector.matchLabels, ...labels }',
    rulesTest,
  ],
  ['what it owns is not the stable one’s', view, '!made.has(ownerUid)', 'true', rulesTest],
]
