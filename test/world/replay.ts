// A sequence of operations told to the simulated controller-manager, and compared with what the real
// one made of it. Where several processes race, the real one may come to rest in more than one way:
// then the simulated one must be able to come to rest in that way, too, if its parts act in another
// order.

import type { Deployment, DeploymentSpec, ReplicaSet } from '#api/kubernetes.ts'
import type { MergePatch } from '#core/change.ts'
import { instantOf } from '#core/time.ts'
import { scaleWorkload, store, writeWorkload } from './api-server.ts'
import { merge } from './controller.ts'
import { syncDeployment } from './deployment-controller.ts'
import { deploymentKind } from './deployment-kind.ts'
import { NAME, specOf, factsOf } from './operations.ts'
import type { Operation, SetFacts, Start, Write } from './operations.ts'
import { makeReady, syncReplicaSet, syncReplicaSets } from './replica-set-controller.ts'
import { NAMESPACE, deploymentIn, emptyWorld, setsIn } from './world.ts'
import type { World } from './world.ts'

/** What the real controller-manager made of a sequence. */
export interface Recording {
  readonly seed: number
  readonly start: Start
  readonly begun: readonly SetFacts[]
  readonly turns: readonly Turn[]
}

/** One operation, and the ReplicaSets when all had come to rest. */
export interface Turn {
  readonly operation: Operation
  readonly write: Write
  readonly sets: readonly SetFacts[]
}

/** How the simulated controller-manager fared. */
export interface Comparison {
  /** Operations for which the order of the simulation had to be another one. */
  readonly raced: number
  /** The first difference, with the way that led to it; undefined: there is none. */
  readonly difference?: string
}

/** Tells the recorded sequence to the simulation. */
export function compare(recording: Recording): Comparison {
  const names = namesOf(recording)
  const object = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { namespace: NAMESPACE, name: NAME, labels: { app: NAME } },
    spec: inNames(specOf(recording.start), names) as unknown as DeploymentSpec,
  }
  let world = emptyWorld(deploymentKind)
  const before = (at: World) => writeWorkload(at, object)
  const log = [`SEED=${recording.seed} SEQUENCES=1`]
  let raced = 0
  const steps = [
    { what: JSON.stringify(recording.start), act: before, sets: recording.begun },
    ...recording.turns.map(({ write, sets }) => ({
      what: JSON.stringify(write),
      act: (at: World) => apply(at, write, names),
      sets,
    })),
  ]
  for (const { what, act, sets } of steps) {
    const wanted = described(sets)
    log.push(`${what}\n  -> ${wanted}`)
    const found = reach(world, act, { sets, wanted, names })
    if (found.world === undefined) {
      log.push(`  simulated: ${found.instead}`)
      return { raced, difference: log.join('\n') }
    }
    if (found.raced) raced += 1
    world = found.world
  }
  return { raced }
}

interface Aim {
  readonly sets: readonly SetFacts[]
  readonly wanted: string
  readonly names: Names
}

const orders = 400

/** The world at rest as it was recorded, by the plain order of things or by another one. */
function reach(
  from: World,
  act: (world: World) => void,
  { sets, wanted, names }: Aim,
): { readonly world?: World; readonly raced: boolean; readonly instead: string } {
  let instead = ''
  for (let order = 0; order <= orders; order++) {
    const world = { ...from }
    const latest = Math.max(...sets.map(({ created }) => instantOf(created)))
    // ReplicaSets of one size are told apart by their age.
    if (Number.isFinite(latest)) world.now = Math.max(world.now, latest)
    act(world)
    if (order > 0) shuffle(world, order)
    const still = rest(world)
    const is = still ? described(setsIn(world).map(set => realFacts(set, names))) : 'no rest'
    if (is === wanted) return { world, raced: order > 0, instead }
    if (order === 0) instead = is
  }
  return { raced: true, instead }
}

const roundsMost = 300

/** Every part acts in turn until nothing changes; gives whether it came to that. */
function rest(world: World): boolean {
  for (let round = 0; round < roundsMost; round++) {
    const { version } = world
    syncDeployment(world)
    syncReplicaSets(world)
    makeReady(world)
    if (world.version === version) return true
  }
  return false
}

/** The parts act in an order that the number determines. */
function shuffle(world: World, order: number): void {
  let state = order
  const next = (below: number) => {
    // The generator of Numerical Recipes; its high bits are the good ones.
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
  const turns = next(60)
  for (let turn = 0; turn < turns; turn++) {
    const part = next(3)
    const sets = setsIn(world)
    if (part === 0) syncDeployment(world)
    else if (part === 1) makeReady(world, 1 + next(4))
    else if (sets.length > 0) syncReplicaSet(world, sets[next(sets.length)]!)
  }
}

function apply(world: World, write: Write, names: Names): void {
  const patch = inNames(write.patch, names)
  const object = deploymentIn(world)!
  if (write.subresource === 'scale') {
    scaleWorkload(world, object, (patch['spec'] as { replicas: number }).replicas)
  } else if (write.kind === 'Deployment') {
    writeWorkload(world, merge(object, patch) as Deployment)
  } else {
    const set = setsIn(world).find(({ metadata }) => metadata.name.startsWith(write.name))!
    const changed = merge(set, patch) as ReplicaSet
    store(world, 'sets', changed, JSON.stringify(set.spec) !== JSON.stringify(changed.spec))
  }
}

/** The simulation's images by the real ones. */
type Names = ReadonlyMap<string, string>

/**
 * The simulation names a ReplicaSet after its image tag, the real one by a hash; and by names it
 * tells those apart that are of one second. So the simulation's tags are the real hashes.
 */
function namesOf({ begun, turns }: Recording): Names {
  const sets = [begun, ...turns.map(turn => turn.sets)].flat()
  const broken = (image: string) => (image.includes('broken') ? '-broken' : '')
  return new Map(
    sets.map(({ image, name }) => [image, `app:${name.slice(NAME.length + 1)}${broken(image)}`]),
  )
}

function inNames(patch: MergePatch, names: Names): MergePatch {
  const text = JSON.stringify(patch)
  return JSON.parse(
    text.replaceAll(/"(app:[^"]+)"/g, (_, image: string) => `"${names.get(image) ?? image}"`),
  ) as MergePatch
}

function realFacts(set: ReplicaSet, names: Names): SetFacts {
  const facts = factsOf(set)
  const [image = facts.image] = [...names].find(([, own]) => own === facts.image) ?? []
  return { ...facts, image }
}

function described(sets: readonly SetFacts[]): string {
  return sets
    .map(({ image, replicas, desired, max, minReadySeconds }) => {
      const armed = minReadySeconds === 0 ? '' : ' armed'
      return `${replicas} ${image} (${desired}/${max}${armed})`
    })
    .toSorted()
    .join(', ')
}
