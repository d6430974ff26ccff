// What a Rollout must look like to be converted. The API server has checked the schema of what it
// sends; whoever else asks, and whatever was stored before the schema, is told the field.

import { isObject } from '../members.ts'
import type { Problem } from '../problem.ts'
import { valuesAt } from '../values-at.ts'

/** What a field must be; each row only where the rows before it hold. */
interface Row {
  /** A path, see `valuesAt`. */
  readonly field: string
  readonly is: keyof typeof checks
  /** Nothing can be made of the object without it. Only for paths without lists. */
  readonly required?: true
}

const checks = {
  'an object': isObject,
  'a list': Array.isArray,
  'a whole number': Number.isSafeInteger,
  'a text': (value: unknown) => typeof value === 'string',
} as const

const steps = 'spec.strategy.canary.steps'

/** What the conversion reads and changes in each version; what it passes on may be anything. */
const shapes: Readonly<Record<'v1alpha1' | 'v1beta1', readonly Row[]>> = {
  v1alpha1: [
    { field: 'spec', is: 'an object', required: true },
    { field: 'spec.objectRef', is: 'an object', required: true },
    { field: 'spec.objectRef.workloadRef', is: 'an object', required: true },
    { field: 'spec.strategy', is: 'an object', required: true },
    { field: 'spec.strategy.canary', is: 'an object' },
    { field: steps, is: 'a list' },
    { field: `${steps}[]`, is: 'an object' },
    { field: `${steps}[].weight`, is: 'a whole number' },
    { field: 'metadata', is: 'an object', required: true },
    { field: 'metadata.annotations', is: 'an object' },
    { field: 'status', is: 'an object' },
    { field: 'status.canaryStatus', is: 'an object' },
    { field: 'status.blueGreenStatus', is: 'an object' },
  ],
  v1beta1: [
    { field: 'spec', is: 'an object', required: true },
    { field: 'spec.strategy', is: 'an object', required: true },
    { field: 'spec.strategy.canary', is: 'an object' },
    { field: steps, is: 'a list' },
    { field: `${steps}[]`, is: 'an object' },
    { field: `${steps}[].traffic`, is: 'a text' },
    { field: 'metadata', is: 'an object', required: true },
    { field: 'metadata.annotations', is: 'an object' },
    { field: 'status', is: 'an object' },
  ],
}

/** What is wrong with the first field that keeps the object from being converted; nothing if none does. */
export function misshapen(object: object, version: keyof typeof shapes): readonly Problem[] {
  for (const row of shapes[version]) {
    const problems = problemsAt(object, row)
    if (problems.length > 0) return problems
  }
  return []
}

function problemsAt(object: object, { field, is, required }: Row): readonly Problem[] {
  // To the API server null is no value, but in a list.
  const found = valuesAt(object, field).filter(
    ({ value }) => value !== null || field.endsWith('[]'),
  )
  if (required && found.length === 0) return [{ field, message: `missing, expected ${is}` }]
  return found
    .filter(({ value }) => !checks[is](value))
    .map(({ field: at, value }) => ({ field: at, message: `expected ${is}, got ${shown(value)}` }))
}

/** No longer than a line bears. */
function shown(value: unknown): string {
  return JSON.stringify(value).slice(0, 60)
}
