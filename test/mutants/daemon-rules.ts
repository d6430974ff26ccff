// Rules by which a DaemonSet is held, and the source without each.

import type { Rule } from './rule.ts'

const fields = 'core/workload/daemon-fields.ts'
const rules = 'core/workload/daemon-rules.ts'
const view = 'core/workload/daemon-view.ts'
const shared = 'core/workload/rules.ts'
const rulesTest = 'core/workload/daemon-rules.test.ts'
const contract = 'test/contracts/workload.test.ts'

/** A row for each. */
export const daemonRules: readonly Rule[] = [
  [
    'no more DaemonSet pods leave at a time than may be missing',
    shared,
    'sound.slice(0, spare)',
    'sound',
    rulesTest,
  ],
  [
    'broken DaemonSet pods leave at any time',
    shared,
    '[...broken, ...sound',
    '[...sound',
    rulesTest,
  ],
  [
    'a node without a pod gets a new one in any case',
    rules,
    'const coming = Math.max(w.replicas - w.total, 0)',
    'const coming = 0',
    rulesTest,
  ],
  [
    'a pod whose node is gone is none of those that count',
    rules,
    'const coming = Math.max(w.replicas - w.total, 0)',
    'const coming = w.replicas - w.total',
    rulesTest,
  ],
  [
    'who has not started goes first',
    rules,
    'Number(b.pending ?? false) - Number(a.pending ?? false) ||',
    '',
    rulesTest,
  ],
  [
    'who is not Ready goes next',
    rules,
    'Number(a.readySince !== undefined) - Number(b.readySince !== undefined) ||',
    '',
    rulesTest,
  ],
  [
    'then whose end costs least',
    rules,
    '(a.deletionCost ?? 0) - (b.deletionCost ?? 0) ||',
    '',
    rulesTest,
  ],
  ['then who is younger', rules, 'b.created - a.created ||', '', rulesTest],
  [
    'nobody is old before the new version is known',
    rules,
    'if (update) return undefined',
    'if (update || !update) return undefined',
    rulesTest,
  ],
  [
    'a DaemonSet’s pods are counted once its controller has seen the latest change',
    shared,
    'if (seen.observed) return undefined',
    'if (seen.observed || !seen.observed) return undefined',
    rulesTest,
  ],
  [
    'nobody else of a DaemonSet is new after an abort',
    rules,
    'return standStill(w, `it cannot be aborted: ${w.noAbort}; apply the old template`)',
    'return { changes: [], why: `it cannot be aborted: ${w.noAbort}; apply the old template` }',
    rulesTest,
  ],
  [
    'a percent of a DaemonSet’s maxUnavailable rounds up',
    view,
    'replicas, Math.ceil)',
    'replicas, Math.floor)',
    rulesTest,
  ],
  ['at least one may be missing', view, 'Math.ceil), 1)', 'Math.ceil), 0)', rulesTest],
  [
    'the word of the hold is no wish of the owner',
    fields,
    'ours ? recordedOwner(record).updateStrategy.type : typeOf(incoming)',
    'typeOf(incoming)',
    contract,
  ],
  [
    'amounts that the API server would refuse are not hidden from it',
    fields,
    'some.length === 1 ? undefined',
    'some.length >= 0 ? undefined',
    rulesTest,
  ],
]
