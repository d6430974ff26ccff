// How the cells of the table are played on one workload, with somebody who waits for it all the time.

import { expect } from 'vitest'

import { holdOf } from '#core/workload/hold.ts'
import { checkEnd, checkWords, checkWrite, movesNothing, read } from './client-checks.ts'
import type { Played } from './client-checks.ts'
import type { Command } from './client-commands.ts'
import { annotateAbort, bringToItsEnd, standing } from './client-stage.ts'
import type { Stage } from './client-stage.ts'
import { REPLICAS, effectOf, lieOf, versionOf } from './client-table.ts'
import type { Effect } from './client-table.ts'
import { WORKLOAD } from './manifests.ts'

/** Plays the cells on one workload, one after the other, and brings it to its end. */
export async function playCells(stage: Stage, commands: readonly Command[]): Promise<void> {
  const waiting = [watchRollout(stage)]
  let told = await checkWaiting(stage, { is: 'nothing' }, waiting)
  for (const command of commands) told = await playCell(stage, command, waiting)
  if (told === 'waits') expect(waiting.at(-1)!.ended, 'before anybody goes on').toBe(false)
  await bringToItsEnd(stage)
  await checkEnd(stage, commands)
  // Whoever waited through the end knows that it came.
  expect(await waiting.at(-1)!.outcome).toBe(told === 'failed' ? 'failed' : 'rolled out')
}

async function playCell(stage: Stage, command: Command, waiting: Waiting[]): Promise<Told> {
  const before = await read(stage)
  const effect = effectOf(command, standing(stage), stage.manifest)
  const version = versionOf(command.writes, standing(stage))
  if (command.waits) return playWaiting(stage, { command, effect, before, waiting })
  const result = await command.run(stage, version, { expectFailure: effect.is === 'refused' })
  checkWords(effect, result)
  await checkWrite(stage, { command, effect, before })
  return checkWaiting(stage, effect, waiting)
}

/** A `kubectl rollout status` that waits. */
interface Waiting {
  readonly outcome: Promise<'rolled out' | 'failed'>
  /** Fulfilled when it has said that it waits: it has seen what stands. */
  readonly saysSo: Promise<void>
  ended: boolean
}

/** Begins to wait as pipelines do: it ends with 0 when all is rolled out, with 1 when it is aborted. */
function watchRollout({ story }: Stage): Waiting {
  const args = ['rollout', 'status', `deployment/${WORKLOAD}`, '--timeout=280s']
  const said = Promise.withResolvers<void>()
  const hear = (text: string) => void (text.includes('Waiting for deployment') && said.resolve())
  const outcome = story.kubectl(args, { ...longEnough, hear }).then(
    () => 'rolled out' as const,
    (error: Error) => {
      if (!error.message.includes('exit code 1\nerror: ')) throw error
      expect(error.message).toContain('exceeded its progress deadline')
      return 'failed' as const
    },
  )
  const waiting: Waiting = { outcome, saysSo: said.promise, ended: false }
  const end = () => void (waiting.ended = true)
  outcome.then(end, end)
  return waiting
}

const longEnough = { timeoutMs: 300_000 }

/** What a waiting client hears after a write, before anybody goes on. */
type Told = 'waits' | 'rolled out' | 'failed'

/** It waits as long as something is on its way, and one that begins then does as well. */
async function checkWaiting(stage: Stage, effect: Effect, waiting: Waiting[]): Promise<Told> {
  const told = toldAfter(stage, effect)
  if (waiting.at(-1)!.ended && !movesNothing(effect)) waiting.push(watchRollout(stage))
  const { saysSo, outcome } = waiting.at(-1)!
  if (told === 'waits') expect(await Promise.race([saysSo, outcome])).toBeUndefined()
  else expect(await outcome).toBe(told)
  if (told === 'waits') expect(waiting.at(-1)!.ended, 'it waits').toBe(false)
  return told
}

function toldAfter({ state }: Stage, effect: Effect): Told {
  if (effect.is === 'release') return 'waits'
  if (effect.is === 'rollback' || state === 'atRest') return 'rolled out'
  // Whoever is not Ready leaves first.
  const readyAlone = effect.is === 'scaled' && effect.to < REPLICAS && state === 'lastStep'
  if (readyAlone) return 'rolled out'
  return state === 'aborted' ? 'failed' : 'waits'
}

/** A command that ends when the release does: it waits, and fails where the release does. */
async function playWaiting(
  stage: Stage,
  played: Played & { readonly waiting: Waiting[] },
): Promise<Told> {
  const { command, effect, before, waiting } = played
  const { story } = stage
  const lie = lieOf(command, effect)
  const fails = command.waits === 'rollback' && !lie
  const running = { ended: false }
  const result = command.run(stage, 'new', { expectFailure: fails })
  const end = () => void (running.ended = true)
  result.then(end, end)
  const release = `-${(before.deployment.metadata.generation ?? 0) + 1}`
  await story.until('the release to begin', async () => {
    return holdOf((await read(stage)).deployment)?.rolloutId.endsWith(release) ?? false
  })
  await checkWrite(stage, played)
  await checkWaiting(stage, effect, waiting)
  if (lie) await result
  else expect(running.ended, `${command.name} ended at step 1`).toBe(false)
  if (fails) {
    await annotateAbort(story, 'table')
    expect(await waiting.at(-1)!.outcome).toBe('failed')
    await story.until('Helm to bring back what it had', async () => {
      return !JSON.stringify((await read(stage)).deployment.spec.template).includes('app:9')
    })
    waiting.push(watchRollout(stage))
  }
  await bringToItsEnd(stage)
  const said = await result
  if (!fails) checkWords(effect, said)
  return 'rolled out'
}
