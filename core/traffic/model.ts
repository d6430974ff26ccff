// The words in which requests are moved. An object that routes them is held as a workload is: our
// controller writes a wish into one annotation, and admission computes the object's field from it and from
// what the owner wants there, at every write by anybody.

import type { KubeObject } from '#api/kubernetes.ts'
import type { HeaderModifier, RouteMatch } from '#api/rollout.generated.ts'
import type { MergePatch } from '../change.ts'
import type { WorkloadRef, KindRef } from '../ref.ts'

/** What `gracePeriodSeconds` is unless given. */
export const GRACE_SECONDS = 3

/** So many milliseconds whoever watches may be behind with what is written; whoever is later has a reason. */
export const BEHIND_MS = 10_000

/** By what requests come to a workload. */
export interface Routing {
  /** Name of the Service. */
  readonly service: string
  /** What sends requests there. */
  readonly routes: readonly RouteRef[]
  /** It has the pods of both versions: the routes tell these apart, and none is made for new pods alone. */
  readonly oneService?: true
  /** Seconds that requests under way are given before pods change. */
  readonly graceSeconds: number
}

/** One object by which requests are sent to a Service, beside that. */
export interface RouteRef {
  readonly apiVersion: string
  readonly kind: string
  readonly name: string
  /** Of which class it is, where there are several that are written differently. */
  readonly className?: string
}

/** Which requests are to go to new pods. `matches` win over the share. */
export interface Split {
  /** Their share, in percent. */
  readonly percent?: number
  readonly matches?: readonly RouteMatch[]
  /** What becomes of their headers. */
  readonly headers?: HeaderModifier
}

/** A workload of the namespace. Each wish says for whose pods it is: it may outlive all that named it. */
export type Whose = Omit<WorkloadRef, 'namespace'>

/** Part of a spec, as JSON. */
export type Json = unknown

/** A wish that can be read, and what belongs to it. */
export interface Wished {
  /** What the owner has in the field. */
  readonly owner: Json
  /** The wish by which the field was computed, as text. */
  readonly wish: string
}

/**
 * One kind of object that routes requests, and the place in it that says where. Pure. A wish
 * that cannot be read projects nothing.
 */
export interface TrafficProvider<O extends KubeObject = KubeObject> extends KindRef {
  /** What stands in the place where it says where requests go. */
  valueIn(object: O): Json
  /** The object with that there. */
  withValue(object: O, value: Json): KubeObject
  /** What is to stand there, for an owner who wants `owner` there. */
  project(owner: Json, wish: string): Json
  /**
   * What the owner wants by a write of `incoming` to a place that was computed from `was`: whatever others
   * have changed is theirs, whatever is left of ours is taken out.
   */
  ownerOf(incoming: Json, was: Wished): Json
  /** A merge patch of the object by which `owner` comes back, whatever of the wish stands there. */
  undo(was: Wished): MergePatch
  /** The owner's value, of that patch and its object; undefined where it is not told. */
  remembered(patch: MergePatch, object: KubeObject): Pick<Wished, 'owner'> | undefined
  /** Annotations beside wish and record, or that there are none. */
  notes?(was: Wished | undefined): Readonly<Record<string, string | undefined>>
}
