// What is wrong with a Rollout that was written in the older version of the API, in its own words.
// Admission sees the converted object; whoever wrote `weight` must not be told to remove `traffic`.

import { ROLLING_STYLE, TRAFFIC_ROUTING } from '#api/names.ts'
import type { Rollout } from '#api/rollout.generated.ts'
import type { Problem } from '../problem.ts'

const annotation = (key: string) => `metadata.annotations[${key}]`

interface Word {
  /** The beginning of a field of the newer version. */
  readonly newer: string
  readonly older: string
  /** What a message advises there, and what it advises here. */
  readonly advice?: Readonly<Record<string, string>>
}

const words: readonly Word[] = [
  { newer: 'spec.workloadRef', older: 'spec.objectRef.workloadRef' },
  {
    newer: 'spec.strategy.canary.enableExtraWorkloadForCanary',
    older: annotation(ROLLING_STYLE),
    advice: {
      'keep false': 'keep `partition`',
      'keep true': 'keep `canary`',
    },
  },
  {
    newer: 'spec.strategy.canary.trafficRoutingRef',
    older: annotation(TRAFFIC_ROUTING),
  },
]

/** A share of the requests that is not given: here it is how many pods are new, and may stay. */
const share = /^spec\.strategy\.canary\.steps\[\d+\]\.traffic$/

/**
 * The problems of a converted Rollout as its writer knows the fields. Never none of some: where a step's
 * share is refused, what is to give it is refused as well.
 */
export function inOlderWords(problems: readonly Problem[]): readonly Problem[] {
  const others = problems.filter(({ field }) => !share.test(field))
  return (others.length > 0 ? others : problems).map(translated)
}

function translated({ field, message }: Problem): Problem {
  const word = words.find(({ newer }) => field === newer || field.startsWith(`${newer}.`))
  if (!word) return { field, message }
  const { newer, older, advice = {} } = word
  const said = Object.entries(advice).find(([text]) => message.includes(text))
  return {
    field: older + field.slice(newer.length),
    message: said ? message.replace(...said) : message,
  }
}

/** An annotation that says no style: the conversion takes it for `canary`, which may not be meant. */
export function unknownStyle({ metadata }: Rollout): readonly Problem[] {
  const style = metadata.annotations?.[ROLLING_STYLE] ?? ''
  if (['', 'canary', 'partition'].includes(style.toLowerCase())) return []
  const message = `expected partition or canary, got ${JSON.stringify(style)}`
  return [{ field: annotation(ROLLING_STYLE), message }]
}
