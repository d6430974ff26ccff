// What the tests of releases ask of a story again and again: the worst moment of its history, where
// its pods stand, what was told, and what the Rollout says of itself.

import { execFile } from 'node:child_process'
import { promisify } from 'node:util'

import { expect } from 'vitest'

import type { Condition, ReplicaSet } from '#api/kubernetes.ts'
import { ABORT } from '#api/names.ts'
import { REPLICA_SETS } from '#kube/resources.ts'
import { commandEnvironment } from './commands.ts'
import type { CommandTarget } from './commands.ts'
import { ROLLOUT } from './manifests.ts'
import { statusFieldIn } from './story.ts'
import type { Moment, Story, StoryEvent } from './story.ts'

/** The fewest Ready pods and the most asked-for pods of any moment since `forget`. */
export function worst(story: Story): { readonly ready: number; readonly total: number } {
  const moments = story.history()
  return {
    ready: Math.min(...moments.map(moment => moment.ready)),
    total: Math.max(...moments.map(totalOf)),
  }
}

/** The most pods that a ReplicaSet of the image was asked for since `forget`. */
export function most(story: Story, image: string): number {
  return Math.max(...story.history().map(({ wanted }) => wanted[image] ?? 0))
}

/** How many pods all ReplicaSets ask for. */
export function totalOf({ wanted }: Moment): number {
  return Object.values(wanted).reduce((sum, count) => sum + count, 0)
}

/** Waits until exactly these pods are asked for, by image, and as many are Ready as are said to be. */
export async function stand(
  story: Story,
  pods: Readonly<Record<string, number>>,
  ready?: number,
): Promise<void> {
  const all = Object.values(pods).reduce((sum, count) => sum + count, 0)
  await story.until(`pods ${JSON.stringify(pods)}, ${ready ?? all} of them Ready`, () => {
    const now = story.now()
    const there = Object.entries(pods).every(([image, n]) => (now.wanted[image] ?? 0) === n)
    return there && totalOf(now) === all && now.ready === (ready ?? all) && now.total === all
  })
}

/** Waits until ReplicaSets ask for as many pods of these images, whatever else there is. */
export async function pods(story: Story, wanted: Readonly<Record<string, number>>): Promise<void> {
  const images = Object.entries(wanted)
  const fact = () => images.every(([image, count]) => (story.now().wanted[image] ?? 0) === count)
  await story.until(JSON.stringify(wanted), fact)
}

/** The events of one reason, once there are as many as said. */
export async function told(
  story: Story,
  reason: string,
  count = 1,
): Promise<readonly StoryEvent[]> {
  let found: readonly StoryEvent[] = []
  await story.until(`${count} event(s) ${reason}`, async () => {
    found = (await story.events()).filter(event => event.reason === reason)
    return found.length >= count
  })
  await story.caughtUp()
  expect(found, reason).toHaveLength(count)
  return found
}

/** What the Rollout says, in full. */
export async function messageOf(story: Story): Promise<string> {
  return (await condition(story, 'Ready'))?.message ?? ''
}

/** Waits until the Rollout says it. */
export async function says(story: Story, text: string | RegExp): Promise<void> {
  await story.until(`message ${text}`, async () => {
    const { metadata, status } = await story.rollout()
    if (!status || status.observedGeneration !== metadata.generation) return false
    const message = await messageOf(story)
    return typeof text === 'string' ? message.includes(text) : text.test(message)
  })
  await story.caughtUp()
}

/**
 * Waits until an edit to the image would be answered so: the webhook hears of an edit of the Rollout by a
 * watch of its own.
 */
export async function wouldSay(story: Story, image: string, text: RegExp): Promise<void> {
  const spec = { template: { spec: { containers: [{ name: 'app', image }] } } }
  const patch = ['--type=merge', '-p', JSON.stringify({ spec })]
  await story.until(`an edit to ${image} answered ${text}`, async () => {
    const { stderr } = await story.kubectl(['patch', story.target, ...patch, '--dry-run=server'])
    return text.test(stderr)
  })
}

/** Waits until the controller-manager has seen the Deployment as it stands. */
export async function seenByManager(story: Story): Promise<void> {
  await story.until('the controller-manager has seen the Deployment', async () => {
    const { metadata, status } = await story.deployment()
    return status?.observedGeneration === metadata.generation
  })
  await story.caughtUp()
}

/** A condition of the Rollout. */
export async function condition(story: Story, type: string): Promise<Condition | undefined> {
  return (await story.rollout()).status?.conditions?.find(each => each.type === type)
}

/** Waits until a condition of the Rollout is true for that reason. */
export async function hasCondition(story: Story, type: string, reason: string): Promise<void> {
  await story.until(`condition ${type} for ${reason}`, async () => {
    const found = await condition(story, type)
    return found?.status === 'True' && found.reason === reason
  })
  await story.caughtUp()
}

/** The documented command: all pods back to the stable revision. */
export async function abort(story: Story): Promise<void> {
  await story.kubectl(['annotate', 'rollout', ROLLOUT, '--overwrite', `${ABORT}=true`])
}

/** The documented command: an aborted release starts again. */
export async function resume(story: Story): Promise<void> {
  await story.kubectl(['annotate', 'rollout', ROLLOUT, `${ABORT}-`])
}

/** Writes which step comes next. */
export async function jump(story: Story, step: number): Promise<void> {
  const field = statusFieldIn(await story.rollout())
  const patch = JSON.stringify({ status: { [field]: { nextStepIndex: step } } })
  const args = ['patch', 'rollout', ROLLOUT, '--subresource=status', '--type=merge', '-p', patch]
  await story.kubectl(args)
}

/** The ReplicaSet that runs the image, with or without pods. */
export async function setOf(story: Story, image: string): Promise<ReplicaSet> {
  const { items } = await story.client.listAll(REPLICA_SETS, { namespace: story.namespace })
  const found = items.find(({ spec }) => JSON.stringify(spec.template).includes(`"${image}"`))
  if (!found) throw new Error(`no ReplicaSet runs ${image}`)
  return found
}

/** Runs the command that a text ends with, as a person would who copies it into a shell. */
export async function obey(target: CommandTarget, text: string): Promise<void> {
  const line = text.slice(text.indexOf('kubectl '))
  await promisify(execFile)('sh', ['-c', line], {
    env: { ...process.env, ...commandEnvironment(target) },
  })
}
