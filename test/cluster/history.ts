// One random history: what happens to a workload, what ends it, what must be true then and must have
// been true all the time.

import fc from 'fast-check'

import { equalJson } from '#core/equal.ts'
import { histories } from '../properties/happenings.ts'
import type { Happened } from '../properties/happenings.ts'
import { abort, edit, freeze, happen, mix, patchWorkload } from './history-acts.ts'
import { plans, scale, strategies } from './history-acts.ts'
import type { ActName, Scene } from './history-acts.ts'
import type { State } from './chronicle.ts'
import { isRight, lineOf } from './history-facts.ts'
import { breaches } from './history-laws.ts'
import type { Breach } from './history-laws.ts'
import { comes, createScene } from './history-scene.ts'
import type { Stage, Start } from './history-scene.ts'

/** What a history begins with, and what happens then. */
export interface History {
  readonly seed: number
  readonly start: Start
  readonly happenings: readonly Happened<ActName>[]
}

/** The history of a seed: the same in every run. */
export function historyOf(seed: number): History {
  const starts = fc.record({
    replicas: fc.integer({ min: 0, max: 13 }),
    strategy: fc.nat(strategies.length - 1),
    minReadySeconds: fc.constantFrom(0, 0, 2),
    plan: fc.nat(plans.length - 1),
    revisionHistoryLimit: fc.constantFrom(10, 10, 0),
  })
  const whole = fc.tuple(starts, histories(mix, 40))
  const [history] = fc.sample(whole, { seed, numRuns: 1 })
  const [start, happenings] = history!
  return { seed, start, happenings }
}

/** A history that came to its end, and the laws that it broke. */
export interface Told {
  readonly history: History
  readonly scene: Scene
  readonly found: readonly Breach[]
}

/** Lets a history happen. Throws where it does not come to its end, with all that is known about it. */
export async function tell(stage: Stage, history: History): Promise<Told> {
  const { seed, start, happenings } = history
  const scene = await createScene(stage, `history-${seed}`, start)
  const { chronicle, wishes, killed } = scene
  try {
    for (const happened of happenings) await happen(scene, happened)
    await end(scene, history)
  } catch (error) {
    throw new Error(report(scene, history, (error as Error).message), { cause: error })
  }
  const found = breaches(chronicle.states(), { wishes, killed, ...start })
  return { history, scene, found }
}

/** What is needed to understand these breaches, and to run their history again. */
export function reportOn({ scene, history }: Told, found: readonly Breach[]): string {
  const states = scene.chronicle.states()
  const lines = found.map(({ law, index }) => `${states[index]!.version}: ${law}`)
  return report(scene, history, lines.join('\n'))
}

/** Everybody does what is needed to end the release; then all must be as the owner wants it. */
async function end(scene: Scene, { start }: History): Promise<void> {
  const { chronicle, log } = scene
  log.push('the end')
  await freeze(scene, false)
  await abort(scene, null)
  await seen(scene, await patchWorkload(scene, { paused: false }))
  if (chronicle.now().workload!.replicas === 0) await seen(scene, await scale(scene, 3))
  if (chronicle.now().workload!.image === 'app:broken') await seen(scene, await edit(scene, 'v4'))
  while (!isRight(chronicle.now())) await goOn(scene)

  const { workload } = chronicle.now()
  const { strategy, minReadySeconds, progressDeadlineSeconds, paused } = workload!
  const wish = {
    strategy: scene.wishes.at(-1)!.strategy,
    minReadySeconds: start.minReadySeconds,
    progressDeadlineSeconds: 600,
    paused: false,
  }
  const is = { strategy, minReadySeconds, progressDeadlineSeconds, paused }
  if (!equalJson(is, wish)) {
    throw new Error(`not the owner's values: ${JSON.stringify(is)} for ${JSON.stringify(wish)}`)
  }
}

/** Waits until the recording knows the Deployment of that version. */
async function seen(scene: Scene, version: bigint): Promise<void> {
  await comes(scene, `the Deployment of ${version}`, ({ workload }) => {
    return BigInt(workload!.metadata.resourceVersion!) >= version
  })
}

/** Approves, or resumes, as soon as that is what it waits for. It fails where nothing moves any more. */
async function goOn(scene: Scene): Promise<void> {
  const { chronicle } = scene
  const before = chronicle.count()
  const waits = ({ rollout }: State) => rollout!.told.state === 'StepPaused'
  const due = (state: State) => waits(state) || isPausedByOwner(state) || isRight(state)
  if (await chronicle.comes(due, scene.patienceMs)) {
    if (isPausedByOwner(chronicle.now())) {
      await seen(scene, await patchWorkload(scene, { paused: false }))
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

/** What he paused while an abort went back, where it shows in no field, is paused at the next edit. */
function isPausedByOwner({ workload }: State): boolean {
  return workload !== undefined && workload.paused && workload.ownerPaused
}

function report(scene: Scene, history: History, what: string): string {
  const { chronicle, log } = scene
  const states = chronicle.states().map(state => `  ${lineOf(state)}`)
  return [
    what,
    `again: SEED=${history.seed} HISTORIES=1`,
    `begin: ${JSON.stringify(history.start)}`,
    ...log.map(line => `  ${line}`),
    'states:',
    ...states,
  ].join('\n')
}
