// Rules of a blue-green release, and what the source looks like without each.

import type { Rule } from './rule.ts'

const adapter = 'core/workload/blue-green.ts'
const planSteps = 'core/rollout/plan-steps.ts'
const rules = 'core/workload/blue-green-rules.ts'

const adapterTest = 'core/workload/blue-green.test.ts'
const rulesTest = 'core/workload/blue-green-rules.test.ts'

/** Two sides: none leaves for the other, and both are whole. */
export const blueGreenRules: readonly Rule[] = [
  [
    'no old pod leaves for a new one',
    rules,
    "budget: '0%', surge: exact",
    "budget: '1%', surge: exact",
    rulesTest,
  ],
  [
    'a surge keeps the share of a step',
    rules,
    'surge: exact ? pods :',
    'surge: !exact ? pods :',
    rulesTest,
  ],
  [
    'the old side is brought back',
    rules,
    'missing <= 0 || !w.stable',
    'missing <= 99 || !w.stable',
    rulesTest,
  ],
  [
    'new pods are withdrawn',
    rules,
    '|| w.updated <= n) return undefined',
    '|| w.updated <= 99) return undefined',
    rulesTest,
  ],
  [
    'Ready new pods stay while too few are Ready',
    rules,
    'Math.max(w.ready - w.replicas, 0)',
    'w.ready',
    rulesTest,
  ],
  ['a third version moves nothing', rules, 'return third ? {', 'return !third ? {', rulesTest],
  [
    'nobody is let out while new pods count as available',
    rules,
    'seen.status.available > old',
    'false',
    rulesTest,
  ],
  ['an abort waits for the stable side', rules, 'stable!.ready >= wanted', 'true', rulesTest],
  [
    'beside a third version a stable pod must be left',
    rules,
    'Math.max(promised, 1) : promised',
    'promised : promised',
    rulesTest,
  ],
  [
    'beside a third version no stable pod is brought back',
    rules,
    'missing > 0 && !third',
    'missing > 0',
    rulesTest,
  ],
  [
    'old pods come back before there is room for new ones',
    rules,
    'missingOld(w) > 0 ? Math.min',
    'missingOld(w) > 99 ? Math.min',
    rulesTest,
  ],
  [
    'an abort keeps all pods while it stops',
    rules,
    'Math.max(total - replicas, 0)',
    '0',
    rulesTest,
  ],
  [
    'a version beside another one begins with a stop',
    adapter,
    'mayRun || isOn(holdOf(before))',
    'mayRun',
    adapterTest,
  ],
  [
    'a version that may run already begins with a stop',
    adapter,
    'mayRun || isOn(holdOf(before))',
    'isOn(holdOf(before))',
    adapterTest,
  ],
  [
    'what Kruise Rollouts would read is of a release of ours, where it is alone',
    'core/workload/kruise.ts',
    'key !== KRUISE_ORIGINAL',
    'true',
    'core/workload/kruise.test.ts',
  ],
  [
    'it goes with the hold, in every style',
    'core/workload/deployment-admission.ts',
    'withoutOurs(restoreDeployment(object, asDeploymentOwner(owner)))',
    'restoreDeployment(object, asDeploymentOwner(owner))',
    adapterTest,
  ],
  [
    'without a hold it may be theirs',
    'core/workload/blue-green-original.ts',
    'Object.hasOwn(annotations, key)',
    'true',
    adapterTest,
  ],
  [
    'a release is told of in the style that it began with',
    'core/rollout/parse.ts',
    'styleNow(hold, styleOf(spec))',
    'styleOf(spec)',
    'test/scenarios/blue-green.test.ts',
  ],
  ['a full last step is not the end', planSteps, ' && !keepsOld[style]', '', adapterTest],
]
