// One kind of object by which requests are sent to a Service, and how a share of them is sent elsewhere.

import type { KubeObject } from '#api/kubernetes.ts'
import type { RouteMatch, TrafficRouting } from '#api/rollout.generated.ts'
import type { Move } from '../move.ts'
import { isSameKind } from '../ref.ts'
import type { WorkloadRef, KindRef } from '../ref.ts'
import type { Answers, FoundScript } from '../script.ts'
import type { Seen } from '../seen.ts'
import type { Instant } from '../time.ts'
import type { Owner } from './made.ts'
import type { RouteRef, Routing, Split } from './model.ts'

/** One object by which requests come, and what is known of it. */
export interface RouteFound<S extends Seen = Seen> {
  readonly ref: RouteRef
  /** That of the version in which it was read; by default the one that is named. */
  readonly router?: Router
  /** Undefined: there is none. */
  readonly object?: S
  /** The cluster does not have the kind. */
  readonly unserved?: true
  /** What has the name of the one that we make beside it. */
  readonly made?: S
  /** By which it is split, where that takes one. */
  readonly script?: FoundScript
}

/** For whom it is used. */
export interface RouteUse {
  readonly routing: Routing
  /** Undefined: the workload is gone. */
  readonly owner?: Owner
  /** For whom its routes are moved; undefined: for whoever they say. */
  readonly whose?: WorkloadRef
  /** What scripts have said. */
  readonly answers: Answers
}

/** How it is to be, at what time. */
export interface SplitAsked {
  /** Some requests go to new pods. */
  readonly split: Split
  readonly now: Instant
}

/** A kind. Pure, and idempotent: what is reached asks for nothing. */
export interface Router<S extends Seen = Seen> extends KindRef {
  /** The name of the one that we make for new pods beside one of that name, where we do. */
  readonly makes?: (name: string) => string
  /** It tells new pods by a Service of their own alone. */
  readonly betweenServices?: true
  /** Of the conditions of a match it knows those on headers. */
  readonly headersAlone?: true
  /** A script says how it is split. */
  readonly scripted?: true
  /** It splits nothing itself: it is of use beside one of this kind alone. */
  readonly onlyBeside?: string
  /** Those that an item of `trafficRoutings` names. */
  refsIn(routing: TrafficRouting): readonly RouteRef[]
  /** What is kept of an object while nobody looks. */
  see(object: KubeObject): S
  /** Why no request can be moved by it; undefined: nothing is in the way. */
  trouble(route: RouteFound<S>, use: RouteUse): string | undefined
  /** Has whoever routes know the Service of new pods before anybody is sent there, where that can be told. */
  announced?(route: RouteFound<S>, use: RouteUse, asked: SplitAsked): Move | undefined
  /** Has the split written. */
  split(route: RouteFound<S>, use: RouteUse, asked: SplitAsked): Move | undefined
  /** Waits until whoever routes by it has taken the split over. */
  splitSeen(route: RouteFound<S>, use: RouteUse, asked: SplitAsked): Move | undefined
  /** Leaves no trace of us. */
  off(route: RouteFound<S>, use: RouteUse, why: string): Move | undefined
  /** Waits until whoever routes by it has seen that. */
  offSeen(route: RouteFound<S>, use: RouteUse): Move | undefined
}

/** Those of a kind that `customNetworkRefs` names, in whatever version. */
export function namedIn(
  kind: KindRef,
  { customNetworkRefs = [] }: TrafficRouting,
): readonly RouteRef[] {
  const named = customNetworkRefs.filter(ref => isSameKind(ref, kind))
  return named.map(({ name }) => ({ apiVersion: kind.apiVersion, kind: kind.kind, name }))
}

/** They ask for more than headers. */
export function matchesMore(matches: readonly RouteMatch[] = []): boolean {
  return matches.some(({ path, queryParams = [] }) => path !== undefined || queryParams.length > 0)
}

/** As a sentence names one. */
export function nameOfRoute({ kind, name }: Pick<RouteRef, 'kind' | 'name'>): string {
  return `${kind} ${name}`
}

/** It sends some requests to new pods: a step may ask for nothing yet. */
export function sendsSome({ percent = 0, matches = [] }: Split): boolean {
  return percent > 0 || matches.length > 0
}

/** What goes to new pods. */
export function splitInWords({ percent = 0, matches = [] }: Split): string {
  return matches.length > 0 ? 'sending matching requests' : `sending ${percent}% of the requests`
}
