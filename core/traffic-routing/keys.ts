// By what TrafficRoutings and those who name them are found: the key under which the queue and the wishes of
// their routes know one.

import type { KubeObject } from '#api/kubernetes.ts'
import type { Rollout } from '#api/rollout.generated.ts'
import { keyOf } from '../ref.ts'
import { trafficRoutingOf } from '../rollout/named-routing.ts'
import type { WorkloadSeen } from '../workload/seen.ts'
import { routingRef } from './parse.ts'

/** Its own. */
export function keyOfRouting({ metadata }: Pick<KubeObject, 'metadata'>): string {
  return keyOf(routingRef(metadata.namespace ?? '', metadata.name))
}

/** That of the one that a Rollout names, if it does. */
export function routingsIn(rollout: Rollout): readonly string[] {
  return keysOf(rollout.metadata.namespace, trafficRoutingOf(rollout))
}

/** That of the one with which the release of a workload has begun, if it has. */
export function routingsOn({
  metadata,
  record,
}: Pick<WorkloadSeen, 'metadata' | 'record'>): readonly string[] {
  return keysOf(metadata.namespace, record?.trafficRouting)
}

function keysOf(namespace = '', name?: string): readonly string[] {
  return name === undefined ? [] : [keyOf(routingRef(namespace, name))]
}
