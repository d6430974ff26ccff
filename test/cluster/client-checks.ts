// What a cell of the table asserts. Before and after a write the Deployment is read whole; what the
// table says of client and state decides what may differ.

import { expect } from 'vitest'

import type { Deployment } from '#api/kubernetes.ts'
import { WORKLOAD_TYPE } from '#api/names.ts'
import { holdOf } from '#core/workload/hold.ts'
import { DEPLOYMENTS, REPLICA_SETS } from '#kube/resources.ts'
import { OTHER_STRATEGY } from './client-commands.ts'
import type { Command } from './client-commands.ts'
import { ownersFields, standing } from './client-stage.ts'
import type { Stage } from './client-stage.ts'
import { REPLICAS, effectOf, lieOf, versionOf } from './client-table.ts'
import type { Effect, Version } from './client-table.ts'
import type { CommandResult } from './commands.ts'
import {
  holdFields,
  holdOn,
  holdersIn,
  ownKeys,
  ownership,
  warningsOf,
} from './deployment-facts.ts'
import { says, totalOf } from './facts.ts'
import { WORKLOAD } from './manifests.ts'

/** What stands, as the API server tells it. */
export interface Reading {
  readonly deployment: Deployment
  readonly pods: Readonly<Record<string, number>>
}

/** A cell that is being played. */
export interface Played {
  readonly command: Command
  readonly effect: Effect
  readonly before: Reading
}

/** Reads it. */
export async function read({ story }: Stage): Promise<Reading> {
  const ref = { namespace: story.namespace, name: WORKLOAD }
  const deployment = await story.client.get(DEPLOYMENTS, ref)
  const { items } = await story.client.listAll(REPLICA_SETS, { namespace: story.namespace })
  const sizes = items.map(({ metadata, spec }) => [metadata.name, spec.replicas ?? 0] as const)
  return { deployment, pods: Object.fromEntries(sizes.filter(([, size]) => size > 0)) }
}

/** The lines that the answer to the write has to show, and no others. */
export function checkWords(effect: Effect, result: CommandResult): void {
  if (effect.is === 'refused') {
    expect(result.stderr).toMatch(effect.words)
    return
  }
  const lines = linesOf(effect)
  const said = warningsOf(result).filter(line => effect.is !== 'release' || !mayStand.test(line))
  expect(said).toEqual(lines.map(line => expect.stringMatching(line)))
}

/** Whether pods of the version may still stand, while others go back or leave, only a moment tells. */
const mayStand = /^pods of this version may run already: one more may start before they are counted/

function linesOf(effect: Effect): readonly RegExp[] {
  if (effect.is === 'release') {
    const plan = 'with step 1 of 4: 1 of 4 pods, then waits for approval; peak \\d pods$'
    const begins = effect.again ? 'release starts again' : 'release starts'
    return [
      new RegExp(`^${begins} ${plan}`),
      wayOn(effect.stopped),
      /^take all pods back with: kubectl /,
    ]
  }
  if (effect.is === 'rollback') {
    const unpaused = /^spec\.paused is set to false, or the rollback could not run$/
    const back = /^rolling back to the stable template: release \S+ ends, all pods go back now /
    return effect.unpauses ? [back, unpaused] : [back]
  }
  if (effect.is === 'nothing') return effect.warning ? [effect.warning] : []
  return 'told' in effect && !effect.told ? [] : (told[effect.is] ?? [])
}

const told: Readonly<Partial<Record<Effect['is'], readonly RegExp[]>>> = {
  paused: [/^the release of Rollout \S+ is frozen until the workload is resumed$/],
  resumed: [/^the release of Rollout \S+ goes on$/],
  recorded: [/^recorded: the new values govern the next pods of the release /],
}

function wayOn(stopped: 'owner' | 'rollout' | 'abort' | undefined): RegExp {
  const paused = 'is paused and no new pod starts; go on with: kubectl '
  if (stopped === 'rollout') return new RegExp(`^Rollout \\S+ ${paused}`)
  if (stopped === 'owner') return new RegExp(`^the workload ${paused}`)
  return /^approve with: kubectl /
}

/** What stands after the write, as far as the table says it. */
export async function checkWrite(stage: Stage, played: Played): Promise<void> {
  const after = await read(stage)
  checkOwnership(stage, played, after.deployment)
  checkFields(stage, played, after)
  await checkPods(stage, played)
}

/** Nobody new owns a hold field but who asked for it, and nothing of ours owns the spec. */
function checkOwnership(
  stage: Stage,
  { command, effect, before }: Played,
  after: Deployment,
): void {
  const holders = holdersIn(after)
  const known = holdersIn(before.deployment)
  if (effect.is === 'refused' || command.brings === 'nobody' || command.brings === 'history') {
    if (effect.is !== 'recorded') expect(holders).toEqual(known)
  }
  expect([...known, command.manager]).toEqual(expect.arrayContaining([...holders]))
  const ours = ownership(after).get('sluice-controller') ?? []
  expect(ours.filter(path => path.startsWith('spec.'))).toEqual([])
  if (effect.is !== 'release' && effect.is !== 'rollback') return
  const changed = (ownership(after).get(command.manager) ?? []).filter(path =>
    path.startsWith('spec.template.'),
  )
  expect(changed, `what ${command.manager} owns`).not.toEqual([])
}

/** The fields right after the write: the very answer to it decides them. */
function checkFields(stage: Stage, played: Played, { deployment }: Reading): void {
  const { effect, before, command } = played
  const was = before.deployment
  const generation = was.metadata.generation ?? 0
  if (effect.is === 'release') {
    // One release, which this very write began: it is named after the generation.
    expect(holdOf(deployment)?.rolloutId).toMatch(new RegExp(`-${generation + 1}$`))
    expect(holdFields(deployment)).toMatchObject({ paused: effect.stopped !== undefined })
  } else if (effect.is === 'rollback') {
    expect(ownKeys(deployment)).toEqual([])
    expect(holdFields(deployment)).toEqual(ownersFields(stage))
    expect(deployment.metadata.generation).toBeGreaterThan(generation)
  } else if (movesNothing(effect)) {
    expect(deployment.spec).toEqual(was.spec)
    expect(holdOn(deployment)).toEqual(holdOn(was))
    // Who takes the controller-manager's own annotation away makes a generation of any Deployment.
    if (!command.whole) expect(deployment.metadata.generation).toBe(generation)
  } else {
    expect(deployment.spec.template).toEqual(was.spec.template)
    expect(holdOf(deployment)?.rolloutId).toBe(holdOf(was)?.rolloutId)
    checkGoverned(effect, was, deployment)
  }
}

/** Who scales, pauses, resumes or records changes that one field, and of the hold what follows. */
function checkGoverned(effect: Effect, was: Deployment, deployment: Deployment): void {
  const before = holdFields(was)
  const after = holdFields(deployment)
  const paused = effect.is === 'paused' || (effect.is !== 'resumed' && before.paused)
  const governs = holdOf(was) !== undefined || effect.is === 'recorded'
  const strategy = governs ? expect.objectContaining({ type: 'RollingUpdate' }) : before.strategy
  expect(after).toEqual({ ...before, strategy, paused })
  const { generation = 0 } = was.metadata
  // Where nobody is held, nobody of ours writes at all.
  if (!holdOf(was)) expect(deployment.metadata.generation).toBe(generation + 1)
  else expect(deployment.metadata.generation).toBeGreaterThan(generation)
}

/** Neither a pod nor a field is another one after it. */
export function movesNothing({ is }: Effect): boolean {
  return is === 'nothing' || is === 'refused'
}

/** The ReplicaSets, once the controller-manager and we have come to rest. */
async function checkPods(stage: Stage, { effect, before }: Played): Promise<void> {
  const { story, heal } = stage
  const state = standing(stage)
  if (effect.is === 'release' && !effect.stopped) {
    heal()
    await story.reached(1)
    await standsAt(stage, 1, REPLICAS)
  } else if (effect.is === 'rollback') {
    await story.phase('Healthy')
    await standsAt(stage, REPLICAS, REPLICAS)
  } else if (effect.is === 'scaled') {
    const live = state.scaled?.[effect.to]
    if (live === undefined) await rolls(stage, effect.to)
    else await standsAt(stage, live, effect.to)
  } else {
    if (effect.is === 'release') await says(story, 'paused by its owner')
    if (!state.rolling || movesNothing(effect))
      expect((await read(stage)).pods).toEqual(before.pods)
  }
}

/** So many pods run what the Deployment names, and so many run at all, all of them wanted. */
async function standsAt(stage: Stage, live: number, all: number): Promise<void> {
  const { story } = stage
  await story.until(`${live} of ${all} pods to run what the Deployment names`, async () => {
    if (totalOf(story.now()) !== all) return false
    const { deployment, pods } = await read(stage)
    const { metadata, status } = deployment
    if (!status || status.observedGeneration !== metadata.generation) return false
    const total = Object.values(pods).reduce((sum, size) => sum + size, 0)
    return total === all && (status.updatedReplicas ?? 0) === live && status.replicas === all
  })
}

/** The controller-manager has shared out, and keeps to what the owner lets it have beside. */
async function rolls(stage: Stage, all: number): Promise<void> {
  const total = ({ pods }: Reading) => Object.values(pods).reduce((sum, size) => sum + size, 0)
  await stage.story.until(`${all} pods, and who comes beside`, async () => {
    const reading = await read(stage)
    const { metadata, status } = reading.deployment
    if (status?.observedGeneration !== metadata.generation) return false
    return total(reading) >= all && total(reading) <= all + 2
  })
}

/** Everybody runs what the last writer wanted, and the Deployment is its owner's alone. */
export async function checkEnd(stage: Stage, commands: readonly Command[]): Promise<void> {
  const { story } = stage
  const { deployment, pods } = await read(stage)
  expect(Object.values(pods)).toEqual([deployment.spec.replicas])
  expect(ownKeys(deployment)).toEqual([])
  expect(deployment.metadata.labels?.[WORKLOAD_TYPE]).toBe('deployment')
  const strategy = commands.some(({ writes }) => writes.strategy) && { strategy: OTHER_STRATEGY }
  expect(holdFields(deployment)).toEqual({ ...ownersFields(stage), ...strategy })
  const { replicas } =
    commands.findLast(({ writes }) => writes.replicas !== undefined)?.writes ?? {}
  expect(deployment.spec.replicas).toBe(replicas ?? REPLICAS)
  const version = lastVersion(stage, commands)
  const { template } = deployment.spec
  expect(JSON.stringify(template)).toContain(`"${stage.image(version)}"`)
  expect(Object.keys(story.now().wanted).toSorted()).toEqual(imagesOf(stage, commands))
}

/** What the Deployment names in the end; where Helm rolls back, that is what it had before. */
function lastVersion(stage: Stage, commands: readonly Command[]): Version {
  const state = standing(stage)
  const last = commands.at(-1)!
  const effect = effectOf(last, state, stage.manifest)
  const rolledBack = last.waits === 'rollback' && !lieOf(last, effect)
  const kept = rolledBack || last.restarts === true || effect.is === 'refused'
  return kept ? state.live : versionOf(last.writes, state)
}

/** No version but those that somebody has written was ever made. */
function imagesOf(stage: Stage, commands: readonly Command[]): readonly string[] {
  const state = standing(stage)
  const between: Readonly<Record<string, readonly Version[]>> = {
    atRest: [],
    third: ['second', 'third'],
  }
  const versions = new Set<Version>(['stable', ...(between[stage.state] ?? ['second'])])
  if (stage.brings === 'history') versions.add('earlier')
  for (const command of commands) {
    const written = effectOf(command, state, stage.manifest).is !== 'refused'
    if (written && !command.restarts) versions.add(versionOf(command.writes, state))
  }
  return [...versions].map(version => stage.image(version)).toSorted()
}
