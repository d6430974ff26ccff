// Rules of the fields by which a Deployment is held, and the source without each.

import type { Rule } from './rule.ts'

const fields = 'core/workload/deployment-fields.ts'
const percent = 'core/workload/percent.ts'
const template = 'core/workload/template.ts'

const fieldsTest = 'core/workload/deployment-fields.test.ts'
const percentTest = 'core/workload/percent.test.ts'
const reviewTest = 'core/admission/review.test.ts'
const templateTest = 'core/workload/template.test.ts'

/** What stands in the fields of a held Deployment, and how amounts are rounded. */
export const fieldRules: readonly Rule[] = [
  [
    'new pods never count as available',
    fields,
    ': ARMED_MIN_READY_SECONDS,',
    ': own.minReadySeconds,',
    fieldsTest,
  ],
  [
    'no deadline runs out while a workload is held',
    fields,
    ': NO_PROGRESS_DEADLINE,',
    ': own.progressDeadlineSeconds,',
    fieldsTest,
  ],
  [
    'never is Recreate written',
    fields,
    "    type: 'RollingUpdate',\n    maxUnavailable: mark",
    "    type: 'Recreate',\n    maxUnavailable: mark",
    fieldsTest,
  ],
  [
    'a strategy without steps is not held',
    fields,
    "if (strategy.type === 'RollingUpdate') return",
    'if (strategy.type) return',
    reviewTest,
  ],
  [
    'what is marked is no wish of the owner',
    fields,
    'isMarked(value) || value === projected',
    'value === projected',
    fieldsTest,
  ],
  [
    'what equals the projection is no wish of the owner',
    fields,
    'isMarked(value) || value === projected',
    'isMarked(value)',
    fieldsTest,
  ],
  [
    'maxUnavailable is rounded down',
    percent,
    'pods(maxUnavailable, replicas, Math.floor)',
    'pods(maxUnavailable, replicas, Math.ceil)',
    percentTest,
  ],
  [
    'maxSurge is rounded up',
    percent,
    'pods(maxSurge, replicas, Math.ceil)',
    'pods(maxSurge, replicas, Math.floor)',
    percentTest,
  ],
  [
    'both 0 means that one may be missing',
    percent,
    'surge + unavailable === 0 ? 1 : unavailable',
    'unavailable',
    percentTest,
  ],
  [
    'a budget is the smallest percent that is enough',
    percent,
    'const percent = Math.ceil((n * 100) / replicas)',
    'const percent = Math.ceil((n * 100) / replicas) + 1',
    percentTest,
  ],
  [
    'a budget is a number where a percent would be too much',
    percent,
    '=== n ? `${percent}%` : n',
    '>= 0 ? `${percent}%` : n',
    percentTest,
  ],
  [
    'a budget is a percent, which stays right when somebody scales',
    percent,
    '=== n ? `${percent}%` : n',
    '< 0 ? `${percent}%` : n',
    percentTest,
  ],
  [
    'a surge has the unit of the owner’s',
    percent,
    "if (typeof owner === 'number' && owner !== 0) return k",
    '',
    percentTest,
  ],
  [
    'a projected percent is marked',
    percent,
    "typeof value === 'number' ? value : `0${value}`",
    'value',
    percentTest,
  ],
  ['0% is an owner’s, 00% is ours', percent, '/^0\\d+%$/', '/^0\\d*%$/', percentTest],
  [
    'the hash label of a template makes no version',
    template,
    'const { [POD_TEMPLATE_HASH]: _, ...labels }',
    'const { ...labels }',
    templateTest,
  ],
]
