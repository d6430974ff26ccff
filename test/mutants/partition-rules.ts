// Rules by which a workload with a partition is held, and the source without each.

import type { Rule } from './rule.ts'

const fields = 'core/workload/partition-fields.ts'
const rules = 'core/workload/partition-rules.ts'
const view = 'core/workload/partition-view.ts'
const moves = 'core/workload/moves.ts'
const rulesTest = 'core/workload/partition-rules.test.ts'
const contract = 'test/contracts/workload.test.ts'

/** A row for each. */
export const partitionRules: readonly Rule[] = [
  [
    'the owner’s own partition is never undercut',
    fields,
    'Math.max(old, own ?? 0)',
    'old',
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
    'if (!isOurs(is) && !ours.includes(is)) return',
    'if (!isOurs(is)) return',
    contract,
  ],
  [
    'what its owner left out is left out again',
    fields,
    'const said = Object.keys(next).length > 0 || own !== null',
    'const said = true',
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
    rules,
    'if (w.seen.observed) return undefined\n  return',
    'if (w.seen.observed || !w.seen.observed) return undefined\n  return',
    rulesTest,
  ],
  [
    'what came up new too early goes back',
    rules,
    'if (!w.stable || w.updated <= n) return undefined',
    'if (!w.stable || w.updated > n) return undefined',
    rulesTest,
  ],
  [
    'no more pods leave at a time than may be missing',
    rules,
    'sound.slice(0, spare)',
    'sound',
    rulesTest,
  ],
  ['broken pods leave at any time', rules, '[...broken, ...sound', '[...sound', rulesTest],
  [
    'the lowest ordinals go back first',
    rules,
    'ordinalOf(a) - ordinalOf(b)',
    'ordinalOf(b) - ordinalOf(a)',
    rulesTest,
  ],
  [
    'a broken pod of a version between is taken out of the way',
    rules,
    'return unblock({ ...w, pods: w.pods.filter(pod => isBetween(w, pod)) })',
    'return undefined',
    rulesTest,
  ],
  [
    'a broken pod of the new version stays for people to see',
    rules,
    'pods: w.pods.filter(pod => isBetween(w, pod))',
    'pods: w.pods.map(pod => ({ ...pod, revision: "" }))',
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
    "return hash === '' || isGivenUp(seen, update) ? undefined",
    "return hash === '' ? undefined",
    rulesTest,
  ],
  [
    'what everybody runs is noted where no older template is seen',
    moves,
    'return templatesSeen ? undefined : seen.fingerprint',
    'return undefined',
    rulesTest,
  ],
]
