// Which TrafficRouting a Rollout names: by an annotation, or by the field that the conversion makes of it.

import { TRAFFIC_ROUTING } from '#api/names.ts'
import type { Rollout } from '#api/rollout.generated.ts'
import type { Problem } from '../problem.ts'
import { strategyField, strategyOf } from './release-style.ts'

/** Its name; undefined: it names none. */
export function trafficRoutingOf({
  metadata,
  spec,
}: Pick<Rollout, 'metadata' | 'spec'>): string | undefined {
  return metadata.annotations?.[TRAFFIC_ROUTING] || strategyOf(spec).trafficRoutingRef || undefined
}

/** As the API server takes one. */
const NAME = /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/

/** Why it cannot be followed; `unrouted`: requests are not moved in this installation, in words. */
export function namedWrongly(rollout: Rollout, unrouted?: string): readonly Problem[] {
  const name = trafficRoutingOf(rollout)
  if (name === undefined) return []
  const { trafficRoutingRef: ref } = strategyOf(rollout.spec)
  const annotation = `metadata.annotations[${TRAFFIC_ROUTING}]`
  const field = ref ? `spec.strategy.${strategyField(rollout.spec)}.trafficRoutingRef` : annotation
  if (unrouted !== undefined) return [{ field, message: `${unrouted}, or remove it` }]
  if (ref && ref !== name) {
    const message = `the annotation ${TRAFFIC_ROUTING} names ${name}: write one name, or remove one of the two`
    return [{ field, message }]
  }
  if (NAME.test(name)) return []
  const message = `expected the name of a TrafficRouting, got ${JSON.stringify(name)}`
  return [{ field, message }]
}
