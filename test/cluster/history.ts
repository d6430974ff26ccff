// One random history: what happens to a workload, what ends it, what must be true then and must have
// been true all the time.

import fc from 'fast-check'

import type { KubeObject } from '#api/kubernetes.ts'
import { equalJson } from '#core/equal.ts'
import { histories } from '../properties/happenings.ts'
import type { Happened } from '../properties/happenings.ts'
import type { State } from './chronicle-facts.ts'
import { abort, caughtUp, edit, freeze, happen, mix, pause } from './history-acts.ts'
import { plans, scale } from './history-acts.ts'
import type { ActName, Scene } from './history-acts.ts'
import { active, isArmed, isRight, lineOf } from './history-facts.ts'
import { deployments } from './history-kinds.ts'
import type { HistoryKind, Specified } from './history-kinds.ts'
import { breaches } from './history-laws.ts'
import type { Breach } from './history-laws.ts'
import { comes, createScene } from './history-scene.ts'
import type { Stage, Start } from './history-scene.ts'
import { WORKLOAD } from './manifests.ts'

/** What a history begins with, and what happens then. */
export interface History {
  readonly seed: number
  readonly kind: HistoryKind
  readonly start: Start
  readonly happenings: readonly Happened<ActName>[]
}

/** The history of a seed: the same in every run. */
export function historyOf(seed: number, kind = deployments): History {
  const starts = fc.record({
    replicas: fc.integer({ min: kind.onNodes ? 1 : 0, max: kind.most }),
    strategy: fc.nat(kind.strategies.length - 1),
    minReadySeconds: fc.constantFrom(...kind.minReadySeconds),
    plan: fc.nat(plans.length - 1),
    revisionHistoryLimit: fc.constantFrom(10, 10, 0),
  })
  const whole = fc.tuple(starts, histories(mix, 40))
  const [history] = fc.sample(whole, { seed, numRuns: 1 })
  const [start, happenings] = history!
  return { seed, kind, start, happenings }
}

/** A history that came to its end, and the laws that it broke. */
export interface Told {
  readonly history: History
  readonly scene: Scene
  readonly found: readonly Breach[]
}

/** Lets a history happen. Throws where it does not come to its end, with all that is known about it. */
export async function tell(stage: Stage, history: History): Promise<Told> {
  const { seed, kind, start, happenings } = history
  const scene = await createScene(stage, `${kind.name}-${seed}`, { ...start, kind })
  const { chronicle, wishes, killed } = scene
  try {
    for (const happened of happenings) await happen(scene, happened)
    await end(scene)
  } catch (error) {
    throw new Error(report(scene, history, (error as Error).message), { cause: error })
  }
  const found = breaches(chronicle.states(), { kind, wishes, killed, ...start })
  return { history, scene, found }
}

/** What is needed to understand these breaches, and to run their history again. */
export function reportOn({ scene, history }: Told, found: readonly Breach[]): string {
  const states = scene.chronicle.states()
  const lines = found.map(({ law, index }) => `${states[index]!.version}: ${law}`)
  return report(scene, history, lines.join('\n'))
}

/** Everybody does what is needed to end the release; then all must be as the owner wants it. */
async function end(scene: Scene): Promise<void> {
  const { chronicle, client, kind, log, namespace } = scene
  log.push('the end')
  await freeze(scene, false)
  await abort(scene, null)
  await resume(scene)
  // What happened last may be on its way.
  await caughtUp(scene)
  if (chronicle.now().workload!.replicas === 0) await seen(scene, await scale(scene, 3))
  if (chronicle.now().workload!.image === 'app:broken') await seen(scene, await edit(scene, 'v4'))
  while (!isRight(chronicle.now())) await goOn(scene)

  const workload = await client.get(kind.type, { namespace, name: WORKLOAD })
  const is = kind.values(workload as KubeObject & Specified)
  const wanted = kind.values({ spec: scene.wanted })
  if (!equalJson(is, wanted)) {
    throw new Error(`not the owner's values: ${JSON.stringify(is)} for ${JSON.stringify(wanted)}`)
  }
}

async function resume(scene: Scene): Promise<void> {
  if (scene.kind.paused) await seen(scene, await pause(scene, false))
}

/** Waits until the recording knows the workload of that version. */
async function seen(scene: Scene, version: bigint): Promise<void> {
  await comes(scene, `the workload of ${version}`, ({ workload }) => {
    return BigInt(workload!.metadata.resourceVersion!) >= version
  })
}

/** Approves, or resumes, as soon as that is what it waits for. It fails where nothing moves any more. */
async function goOn(scene: Scene): Promise<void> {
  const { chronicle } = scene
  const before = chronicle.count()
  const waits = ({ rollout }: State) => rollout!.told.state === 'StepPaused'
  const due = (state: State) =>
    waits(state) || isPausedByOwner(state) || waitsForStable(state) || isRight(state)
  if (await chronicle.comes(due, scene.patienceMs)) {
    if (isPausedByOwner(chronicle.now())) {
      await resume(scene)
      return
    }
    if (waitsForStable(chronicle.now())) {
      await putStableBack(scene)
      return
    }
    if (!waits(chronicle.now())) return
    const { step } = chronicle.now().rollout!.told
    await happen(scene, ['approve', 0])
    // The next step may be reached with the very write that begins it.
    await comes(scene, 'the approval is seen', state => {
      return !waits(state) || state.rollout!.told.step !== step
    })
  } else if (chronicle.count() === before) throw new Error('it does not come to its end')
}

function waitsForStable({ rollout }: State): boolean {
  return rollout?.told.waitsForStable === true
}

/** Of the sides that stand, that of the stable version was never armed. */
async function putStableBack(scene: Scene): Promise<void> {
  const { image } = active(scene.chronicle.now()).find(set => !isArmed(set))!
  await seen(scene, await edit(scene, image.replace('app:', '')))
  await comes(scene, 'the stable version is seen', state => !waitsForStable(state))
}

/** What he paused while an abort went back, where it shows in no field, is paused at the next edit. */
function isPausedByOwner({ workload }: State): boolean {
  return workload !== undefined && workload.paused && workload.ownerPaused
}

function report(scene: Scene, history: History, what: string): string {
  const { chronicle, log } = scene
  const states = chronicle.states().map(state => `  ${lineOf(state)}`)
  return [
    what,
    `again: KIND=${history.kind.name} SEED=${history.seed} HISTORIES=1`,
    `begin: ${JSON.stringify(history.start)}`,
    ...log.map(line => `  ${line}`),
    'states:',
    ...states,
  ].join('\n')
}
