// What the API server does to a write: defaults, admission, validation, generation, resourceVersion.
// Admission is the product's own; it is called for the writes that the match conditions let through.

import type { ControllerRevision, KubeObject, Pod, ReplicaSet } from '#api/kubernetes.ts'
import { CAUGHT, ESCAPE, HOLD, RECORD, WORKLOAD_TYPE } from '#api/names.ts'
import type { Rollout } from '#api/rollout.generated.ts'
import type { WorkloadReview } from '#core/admission/model.ts'
import { reviewWorkload } from '#core/admission/review.ts'
import { rolloutWarnings } from '#core/admission/rollout-warnings.ts'
import { validateRollout } from '#core/admission/validation.ts'
import { defined } from '#core/defined.ts'
import { equalJson } from '#core/equal.ts'
import { formatProblems } from '#core/problem.ts'
import { rolloutOf } from '#core/rollout/parse.ts'
import { holdOf } from '#core/workload/hold.ts'
import { heldBy } from '#core/workload/registry.ts'
import { caughtByPolicy } from './policy.ts'
import { Conflict, Refused, kubeTime, podsOf, rolloutIn, setsIn } from './world.ts'
import type { Kind, Stored, Workload, World } from './world.ts'

/** A write of a workload by anybody. Throws `Refused` where it is not valid. */
export function writeWorkload(world: World, incoming: Workload, fromController = false): void {
  const { kind } = world
  const before = world.workloads.get(incoming.metadata.name)
  const requested = kind.withDefaults(before ? stamped(incoming, before) : incoming)
  const object = admitted(world, requested, before, fromController)
  const problem = kind.problem(object)
  if (problem !== undefined) throw new Refused(problem)
  const said = ({ spec, metadata }: Workload) => [
    spec,
    kind.countsAnnotations ? (metadata.annotations ?? {}) : {},
  ]
  store(world, 'workloads', object, !before || !equalJson(said(before), said(object)))
}

/** A write to the scale subresource, which admission of workloads never sees. */
export function scaleWorkload(world: World, before: Workload, replicas: number): void {
  const object = { ...before, spec: { ...before.spec, replicas } }
  store(world, 'workloads', object, before.spec.replicas !== replicas)
}

/** A workload is deleted, and with it what it owns. */
export function deleteWorkload(world: World, name: string): void {
  const object = world.workloads.get(name)
  if (!object) return
  for (const owner of [object, ...setsIn(world, name)]) {
    for (const pod of podsOf(world, owner)) remove(world, 'pods', pod.metadata.name)
    remove(world, owner === object ? 'workloads' : 'sets', owner.metadata.name)
  }
}

/** A write of a Rollout, which is validated; of its status, which is not. */
export function writeRollout(world: World, object: Rollout): void {
  const before = world.rollouts.get(object.metadata.name)
  const previous = before && { previous: before }
  const problems = world.webhook ? validateRollout(object, { others: [], ...previous }) : []
  if (problems.length > 0) throw new Refused(formatProblems(problems))
  if (before) world.warnings.push(...rolloutWarnings(before, object))
  store(world, 'rollouts', object, !before || !equalJson(before.spec, object.spec))
}

/** Stores an object; equal ones are left as they are. `newSpec` raises the generation. */
export function store<T extends Workload | ReplicaSet | ControllerRevision | Pod | Rollout>(
  world: World,
  kind: Kind,
  object: T,
  newSpec: boolean,
): T {
  const all = world[kind] as unknown as Stored<T>
  const { name } = object.metadata
  const before = all.get(name)
  if (before && equalJson(before, object)) return before
  world.version += 1
  const generation = (before?.metadata.generation ?? 0) + (newSpec ? 1 : 0)
  const metadata = {
    uid: `uid-${world.version}`,
    creationTimestamp: kubeTime(world.now),
    ...object.metadata,
    resourceVersion: String(world.version),
    generation,
  }
  const stored = { ...object, metadata }
  replaceAll(world, kind, new Map(all).set(name, stored))
  return stored
}

/** Removes an object. */
export function remove(world: World, kind: Kind, name: string): void {
  const left = new Map<string, KubeObject>(world[kind])
  if (!left.delete(name)) return
  world.version += 1
  replaceAll(world, kind, left)
}

/** Throws `Conflict` unless the object is stored as it was read. */
export function assertFresh(world: World, kind: Kind, read: KubeObject['metadata']): void {
  const { resourceVersion } = world[kind].get(read.name)?.metadata ?? {}
  if (resourceVersion !== read.resourceVersion) throw new Conflict(`${kind}/${read.name}`)
}

function replaceAll(world: World, kind: Kind, all: Stored<KubeObject>): void {
  Object.assign(world, { [kind]: all })
}

function stamped(incoming: Workload, before: Workload): Workload {
  const { uid, resourceVersion, generation, creationTimestamp } = before.metadata
  const kept = defined({ uid, resourceVersion, generation, creationTimestamp })
  const { status: _, ...rest } = incoming
  const object = { ...rest, metadata: { ...incoming.metadata, ...kept } }
  return before.status ? { ...object, status: before.status } : object
}

function admitted(
  world: World,
  requested: Workload,
  before: Workload | undefined,
  fromController: boolean,
): Workload {
  const { kind } = world
  const object =
    world.policy && before ? caughtByPolicy(kind, requested, before, fromController) : requested
  if (!isCalled(object, before)) return object
  if (!world.webhook) {
    if (world.failurePolicy === 'Fail') throw new Refused('failed calling webhook')
    return object
  }
  const rollout = rolloutIn(world)
  const review: WorkloadReview = defined({
    adapter: heldBy(kind.adapter, holdOf(before ?? object)),
    object,
    before,
    rollout: rollout && rolloutOf(rollout),
    fromController,
  })
  const answer = reviewWorkload(review)
  const again = reviewWorkload({ ...review, object: answer.object })
  if (!equalJson(again.object, answer.object)) {
    throw new Error(`a second review changes ${JSON.stringify([answer.object, again.object])}`)
  }
  world.warnings.push(...answer.warnings)
  return answer.object as Workload
}

/** As the rules, selectors and match conditions of webhook/configuration.ts say. */
function isCalled(object: Workload, before: Workload | undefined): boolean {
  const has = ({ metadata }: Workload, key: string) => metadata.annotations?.[key] !== undefined
  const guarded = ({ metadata }: Workload) => metadata.labels?.[WORKLOAD_TYPE] !== undefined
  const carries = [HOLD, RECORD, CAUGHT].some(key => has(object, key))
  if (!before) return carries && !has(object, ESCAPE)
  if (![object, before].some(guarded)) return false
  const edited = !equalJson(object.spec.template, before.spec.template)
  // An escape that comes with another template is a copy's.
  if (has(object, ESCAPE)) return edited && !has(before, ESCAPE)
  const carried = [HOLD, CAUGHT].some(key => has(before, key))
  return edited || carries || carried || !guarded(object)
}
