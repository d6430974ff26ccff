// What the API server does to a write: defaults, admission, validation, generation, resourceVersion.
// Admission is the product's own; it is called for the writes that the match conditions let through.

import type {
  Deployment,
  DeploymentSpec,
  KubeObject,
  Pod,
  ReplicaSet,
  RollingUpdate,
} from '#api/kubernetes.ts'
import { CAUGHT, ESCAPE, HOLD, RECORD, WORKLOAD_TYPE } from '#api/names.ts'
import type { Rollout } from '#api/rollout.generated.ts'
import { reviewWorkload } from '#core/admission/review.ts'
import type { WorkloadReview } from '#core/admission/review.ts'
import { rolloutWarnings } from '#core/admission/rollout-warnings.ts'
import { validateRollout } from '#core/admission/validation.ts'
import { defined } from '#core/defined.ts'
import { equalJson } from '#core/equal.ts'
import { rolloutOf } from '#core/rollout/parse.ts'
import { formatProblems } from '#core/rollout/problem.ts'
import { deployment } from '#core/workload/deployment.ts'
import { holdOf } from '#core/workload/hold.ts'
import { heldBy } from '#core/workload/registry.ts'
import { controllerUid } from '#core/workload/seen.ts'
import { caughtByPolicy } from './policy.ts'
import { Conflict, Refused, kubeTime, podsOf, rolloutIn } from './world.ts'
import type { Kind, Stored, World } from './world.ts'

/** A write of a Deployment by anybody. Throws `Refused` where it is not valid. */
export function writeDeployment(world: World, incoming: Deployment, fromController = false): void {
  const before = world.deployments.get(incoming.metadata.name)
  const requested = withDefaults(before ? stamped(incoming, before) : incoming)
  const object = admitted(world, requested, before, fromController)
  const problem = problemOf(object.spec)
  if (problem !== undefined) throw new Refused(problem)
  // To the API server an annotation is a change of a Deployment like any other.
  const was = before && [before.spec, before.metadata.annotations ?? {}]
  const changed = !equalJson(was, [object.spec, object.metadata.annotations ?? {}])
  store(world, 'deployments', object, changed)
}

/** A write to the scale subresource, which admission of Deployments never sees. */
export function scaleDeployment(world: World, before: Deployment, replicas: number): void {
  const object = { ...before, spec: { ...before.spec, replicas } }
  store(world, 'deployments', object, before.spec.replicas !== replicas)
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
export function store<T extends Deployment | ReplicaSet | Pod | Rollout>(
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

/** Removes a Deployment with its ReplicaSets and pods, which the garbage collector takes. */
export function removeDeployment(world: World, name: string): void {
  const owner = world.deployments.get(name)?.metadata.uid
  remove(world, 'deployments', name)
  for (const set of world.sets.values()) {
    if (controllerUid(set) !== owner) continue
    for (const pod of podsOf(world, set)) remove(world, 'pods', pod.metadata.name)
    remove(world, 'sets', set.metadata.name)
  }
}

/** Throws `Conflict` unless the object is stored as it was read. */
export function assertFresh(world: World, kind: Kind, read: KubeObject['metadata']): void {
  const { resourceVersion } = world[kind].get(read.name)?.metadata ?? {}
  if (resourceVersion !== read.resourceVersion) throw new Conflict(`${kind}/${read.name}`)
}

function replaceAll(world: World, kind: Kind, all: Stored<KubeObject>): void {
  Object.assign(world, { [kind]: all })
}

function stamped(incoming: Deployment, before: Deployment): Deployment {
  const { uid, resourceVersion, generation, creationTimestamp } = before.metadata
  const kept = defined({ uid, resourceVersion, generation, creationTimestamp })
  const { status: _, ...rest } = incoming
  const object = { ...rest, metadata: { ...incoming.metadata, ...kept } }
  return before.status ? { ...object, status: before.status } : object
}

function withDefaults(object: Deployment): Deployment {
  const { spec } = object
  const type = spec.strategy?.type ?? 'RollingUpdate'
  const given = spec.strategy?.rollingUpdate
  const rolling = type === 'RollingUpdate' && {
    rollingUpdate: { maxUnavailable: '25%', maxSurge: '25%', ...given },
  }
  const filled = { replicas: 1, progressDeadlineSeconds: 600, revisionHistoryLimit: 10, ...spec }
  return { ...object, spec: { ...filled, strategy: { type, ...rolling } } }
}

function admitted(
  world: World,
  requested: Deployment,
  before: Deployment | undefined,
  fromController: boolean,
): Deployment {
  const object =
    world.policy && before ? caughtByPolicy(requested, before, fromController) : requested
  if (!isCalled(object, before)) return object
  if (!world.webhook) {
    if (world.failurePolicy === 'Fail') throw new Refused('failed calling webhook')
    return object
  }
  const rollout = rolloutIn(world)
  const review: WorkloadReview = defined({
    adapter: heldBy(deployment, holdOf(before ?? object)),
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
  return answer.object as Deployment
}

/** As the rules, selectors and match conditions of webhook/configuration.ts say. */
function isCalled(object: Deployment, before: Deployment | undefined): boolean {
  const has = ({ metadata }: Deployment, key: string) => metadata.annotations?.[key] !== undefined
  const guarded = ({ metadata }: Deployment) => metadata.labels?.[WORKLOAD_TYPE] !== undefined
  const carries = [HOLD, RECORD, CAUGHT].some(key => has(object, key))
  if (!before) return carries && !has(object, ESCAPE)
  if (![object, before].some(guarded)) return false
  const edited = !equalJson(object.spec.template, before.spec.template)
  // An escape that comes with another template is a copy's.
  if (has(object, ESCAPE)) return edited && !has(before, ESCAPE)
  const carried = [HOLD, CAUGHT].some(key => has(before, key))
  return edited || carries || carried || !guarded(object)
}

function problemOf(spec: DeploymentSpec): string | undefined {
  const { strategy, minReadySeconds = 0, progressDeadlineSeconds = 600 } = spec
  if (progressDeadlineSeconds <= minReadySeconds) {
    return 'spec.progressDeadlineSeconds: must be greater than minReadySeconds'
  }
  return strategy?.rollingUpdate ? rollingProblem(strategy.rollingUpdate) : undefined
}

function rollingProblem({ maxUnavailable, maxSurge }: RollingUpdate): string | undefined {
  const values = [maxUnavailable, maxSurge].map(String)
  const odd = values.find(value => !/^\d+%?$/.test(value))
  if (odd !== undefined) return `spec.strategy: ${odd} is no amount`
  const [unavailable, surge] = values.map(value => Number.parseInt(value, 10))
  if (values[0]!.endsWith('%') && unavailable! > 100) {
    return `spec.strategy: maxUnavailable ${maxUnavailable} is more than 100%`
  }
  const none = unavailable === 0 && surge === 0
  return none ? 'spec.strategy: maxUnavailable may not be 0 when maxSurge is 0' : undefined
}
