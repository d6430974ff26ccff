// The way of requests, as one decision sees it, and where they can be wanted to go.

import type { FinalisingStep } from '#api/rollout.generated.ts'
import type { Rule } from '../move.ts'
import type { WorkloadRef } from '../ref.ts'
import type { Answers } from '../script.ts'
import type { Instant } from '../time.ts'
import type { Routing, Split } from './model.ts'
import type { RouteFound, SplitAsked } from './router.ts'
import type { EndpointsSeen, ServiceSeen } from './seen.ts'

/** What is there of it. */
export interface Traffic {
  readonly routing: Routing
  readonly service?: ServiceSeen
  /** That of the new pods alone, where they have one, or one of somebody else that has its name. */
  readonly canary?: ServiceSeen
  readonly routes: readonly RouteFound[]
  /** What scripts have said of them. */
  readonly answers: Answers
  /** Of all Services that are looked at. */
  readonly endpoints: readonly EndpointsSeen[]
  /** Why it is not known what is there; undefined: it is. */
  readonly unread?: string
}

/** Whose requests they are. */
export interface RoutedPods {
  readonly ref: WorkloadRef
  readonly uid: string
  /** The label of pods that tells their version. */
  readonly revisionLabel: string
  /** Its value on stable pods; empty: there are none. */
  readonly stable: string
  /** Its value on new pods; empty until there is one. */
  readonly updated: string
  readonly updatePods: readonly NewPod[]
  /** Labels that new pods carry beside those of their template. */
  readonly podLabels: Readonly<Record<string, string>>
}

/** A pod of the new version. */
export interface NewPod {
  readonly uid: string
  /** Undefined: not Ready. */
  readonly readySince?: Instant
}

/** Where requests are to go; docs/adr/0017-traffic.md says when which is reached. */
export type TrafficAim =
  | { readonly to: 'there' | 'answered' | 'pinned' | 'stable' | 'new' | 'all' }
  | { readonly to: 'split'; readonly split: Split }

/** What a rule looks at. */
export interface Routed {
  readonly traffic: Traffic
  /** Undefined: the workload is gone. */
  readonly pods?: RoutedPods
  /** For whom they are moved; undefined: for whoever they say, since they were found by that. */
  readonly whose?: WorkloadRef
}

/** An order: the first that has something to do, or to wait for, acts. */
export type Rules = readonly Rule<Routed, SplitAsked>[]

/** In what order Services and routes are moved, so that requests go where each aim says. */
export interface Order {
  readonly aims: Readonly<Record<TrafficAim['to'], Rules>>
  /** Of a workload that is gone the Service remembers by what requests come: it is freed last. */
  readonly gone: Rules
}

/** What they have to do is the task at the end of a release that the API calls so. */
export function ofTask(task: FinalisingStep, those: Rules): Rules {
  return those.map(rule => (routed, asked) => {
    const move = rule(routed, asked)
    return move && { ...move, task }
  })
}
