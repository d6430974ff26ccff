// Who needs a TrafficRouting: releases of Rollouts that name it, once somebody answers for their new pods.

import type { RoutedPods, Traffic } from '../traffic/routed.ts'
import { readyOf } from '../traffic/service-moves.ts'

/** A Rollout in a release that names it. */
export interface RoutingUser {
  readonly rollout: string
  /** A new pod of its release is ready for requests. */
  readonly answers: boolean
}

/** Pods of a release, and all that its workload has. */
export interface PodsOfUser extends Pick<RoutedPods, 'updatePods'> {
  readonly podUids: readonly string[]
}

/**
 * A new pod is Ready, and where the Service that is named has pods of this workload, that one among them: a mesh
 * sends nobody to a pod before its endpoints are known. A Service at an entry has none of them.
 */
export function isAnswered({ updatePods, podUids }: PodsOfUser, traffic?: Traffic): boolean {
  const listed: ReadonlySet<string> = traffic
    ? readyOf(traffic, traffic.routing.service)
    : new Set<string>()
  const isTheirs = podUids.some(uid => listed.has(uid))
  return updatePods.some(
    ({ uid, readySince }) => readySince !== undefined && (!isTheirs || listed.has(uid)),
  )
}
