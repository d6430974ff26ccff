// A workload with a partition, its Rollout and everybody who acts on them, in memory: admission and the
// controller are the product's own, the workload's controller does what its kind is known to do.

import type { PodTemplate } from '#api/kubernetes.ts'
import { WORKLOAD_TYPE } from '#api/names.ts'
import { reviewWorkload } from '#core/admission/review.ts'
import { decide } from '#core/rollout/decide.ts'
import type { Decision, Memory, Rollout } from '#core/rollout/model.ts'
import { moveFor } from '#core/rollout/moves.ts'
import { nothing } from '#core/rollout/outcomes.ts'
import type { Partitioned } from '#core/workload/partition-object.ts'
import type { PartitionAdapter } from '#core/workload/partitioned.ts'
import { seePod } from '#core/workload/seen.ts'
import { merge } from './controller.ts'
import { podOf } from './partition-scene.ts'
import { threeSteps } from './three-steps.ts'

/** Where everything is. */
export interface PartitionWorld {
  readonly adapter: PartitionAdapter
  rollout: Rollout
  object: Partitioned
  /** The version of each pod, and whether it is not Ready. */
  pods: readonly string[]
  memory: Memory
  decision?: Decision
  /** What the last edit was answered. */
  warnings: readonly string[]
  told: readonly string[]
}

const now = Date.parse('2030-01-01T00:00:00Z')

/** 10 pods of v1, at rest. */
export function newPartitionWorld(
  adapter: PartitionAdapter,
  steps: Rollout['steps'],
): PartitionWorld {
  const { apiVersion, kind } = adapter
  const ref = { apiVersion, kind, namespace: 'shop', name: 'web' }
  const labels = { [WORKLOAD_TYPE]: kind.toLowerCase() }
  const world: PartitionWorld = {
    adapter,
    rollout: { ...threeSteps, ref, steps, rollbackInSteps: true },
    object: {
      apiVersion,
      kind,
      metadata: { namespace: 'shop', name: 'web', uid: 'u', generation: 1, labels },
      spec: { replicas: 10, template: templateOf('v1') },
      status: { currentRevision: 'web-v1', updateRevision: 'web-v1' },
    },
    pods: Array<string>(10).fill('v1'),
    memory: nothing,
    warnings: [],
    told: [],
  }
  settle(world)
  return world
}

/** Applies a version, and lets everybody act. */
export function edit(world: PartitionWorld, version: string): void {
  const spec = { ...world.object.spec, template: templateOf(version) }
  write(world, { ...world.object, spec }, false)
  settle(world)
}

/** Asks for another size. */
export function scale(world: PartitionWorld, replicas: number): void {
  const { object } = world
  const { generation = 0 } = object.metadata
  // The scale subresource does not carry the workload: nobody is asked.
  const metadata = { ...object.metadata, generation: generation + 1 }
  world.object = { ...object, metadata, spec: { ...object.spec, replicas } }
  settle(world)
}

/** Ends the pause of the step. */
export function approve(world: PartitionWorld): void {
  world.memory = { ...world.memory, state: 'StepReady' }
  settle(world)
}

/** Changes what the Rollout asks for. */
export function change(world: PartitionWorld, rollout: Partial<Rollout>): void {
  world.rollout = { ...world.rollout, ...rollout }
  settle(world)
}

/** Pods by version from the first to the last, and where the release stands. */
export function sight({ pods, decision, memory }: PartitionWorld): string {
  const { standing } = decision!
  const step = memory.releasing ? ` ${memory.stepIndex} ${memory.state}` : ''
  const versions = [...new Set(pods)].toSorted()
  const words = versions.map(each => `${pods.filter(pod => pod === each).length} ${each}`)
  return `${standing.phase}${step}: ${words.join(' ')}`
}

function write(world: PartitionWorld, asked: Partitioned, fromController: boolean): void {
  const { adapter, object: before, rollout } = world
  const review = { adapter, object: asked, before, rollout, fromController }
  const answer = reviewWorkload(review)
  const { warnings } = answer
  const object = answer.object as Partitioned
  const { generation = 0 } = before.metadata
  const changed = JSON.stringify(object.spec) !== JSON.stringify(before.spec)
  const metadata = { ...object.metadata, generation: generation + Number(changed) }
  world.object = { ...object, metadata }
  if (!fromController) world.warnings = warnings
}

/** Everybody acts until nothing changes any more. */
function settle(world: PartitionWorld): void {
  for (let round = 0; round < 200; round++) {
    const before = JSON.stringify([world.object, world.pods, world.memory])
    reconcile(world)
    syncPods(world)
    if (JSON.stringify([world.object, world.pods, world.memory]) === before) return
  }
  throw new Error(`still busy: ${sight(world)}`)
}

function reconcile(world: PartitionWorld): void {
  const { adapter, object, pods, rollout, memory } = world
  const seen = pods.map((version, ordinal) => seePod(podOf(`web-${version}`, ordinal)))
  const owned = { replicaSets: [], pods: seen }
  const workload = adapter.observe(adapter.see(object), owned, now)
  const around = { kruiseRuns: false, registered: true, holdRefused: false }
  const snapshot = { now, rollout, memory, workload, adapter, ...around }
  const decision = decide(snapshot)
  world.decision = decision
  world.memory = decision.memory
  for (const action of decision.actions) {
    if (action.type === 'event') {
      world.told = [...world.told, action.event.reason]
      continue
    }
    for (const each of moveFor(snapshot, action)?.changes ?? []) {
      if (each.type === 'delete') world.pods = pods.with(ordinalOf(each.target.name), '')
      if (each.type === 'patch') {
        write(world, merge(world.object, each.patch) as Partitioned, true)
      }
    }
  }
}

/** One pod at a time, as the kind orders them; who is missing comes again. */
function syncPods(world: PartitionWorld): void {
  const { object, adapter } = world
  const { replicas = 1, template } = object.spec
  const update = imageOf(template)
  const current = (object.status?.currentRevision ?? '').slice('web-'.length)
  const kept = keptOld(adapter.carries(object), replicas)
  const isOld = (pod: string) => pod !== '' && pod !== update
  /** Of the old pods more are there than the partition keeps, or this one is above it. */
  const isOver = (pods: readonly string[], ordinal: number) =>
    adapter.kind === 'StatefulSet' ? ordinal >= kept : pods.filter(isOld).length > kept
  const there = Array.from({ length: replicas }, (_, i) => world.pods[i] ?? '')
  // A missing one counts as old already, if it comes as one.
  const comesNew = (i: number) => isOver(there.with(i, current), i)
  const pods = there.map((pod, i) => pod || (comesNew(i) ? update : current))
  const next = pods.findLastIndex((pod, i) => isOld(pod) && isOver(pods, i))
  world.pods = next === -1 ? pods : pods.with(next, update)
  world.object = withStatus(object, world.pods, { update, current })
}

function keptOld(partition: string, replicas: number): number {
  const amount = Number.parseInt(partition, 10) || 0
  const kept = partition.endsWith('%') ? Math.ceil((amount * replicas) / 100) : amount
  return Math.min(kept, replicas)
}

function withStatus(
  object: Partitioned,
  pods: readonly string[],
  { update, current }: Readonly<Record<'update' | 'current', string>>,
): Partitioned {
  const updated = pods.filter(pod => pod === update).length
  const replicas = pods.length
  return {
    ...object,
    status: {
      observedGeneration: object.metadata.generation ?? 0,
      replicas,
      readyReplicas: replicas,
      availableReplicas: replicas,
      updatedReplicas: updated,
      updateRevision: `web-${update}`,
      currentRevision: `web-${updated === replicas ? update : current}`,
    },
  }
}

function ordinalOf(name: string): number {
  return Number(name.slice(name.lastIndexOf('-') + 1))
}

function templateOf(version: string): PodTemplate {
  return { spec: { containers: [{ name: 'app', image: version }] } }
}

function imageOf({ spec }: PodTemplate): string {
  return (spec as unknown as { containers: readonly { image: string }[] }).containers[0]!.image
}
