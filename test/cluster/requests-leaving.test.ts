// Requests come back when their workload is left alone: by eject, by hand, and where everybody who knew of them
// is gone. With all of us dead, under failurePolicy Fail, in front of real endpoints.

import { afterAll, beforeAll, expect, test } from 'vitest'

import type { KubeObject } from '#api/kubernetes.ts'
import { ESCAPE } from '#api/names.ts'
import { HTTP_ROUTES, SERVICES } from '#kube/resources.ts'
import { presenceIn } from './absence.ts'
import type { Presence } from './absence.ts'
import { bash, sluice } from './commands.ts'
import { ownership } from './deployment-facts.ts'
import { commandsOf } from './docs-examples.ts'
import { stand, worst } from './facts.ts'
import { ROLLOUT, WORKLOAD } from './manifests.ts'
import { answered, atFirstStep, startRouted } from './routed.ts'
import type { Place, Routed } from './routed.ts'

const PAGE = 'docs/safe-when-we-vanish.md'

let routed: Routed
let ours: Presence
beforeAll(async () => {
  routed = await startRouted()
  ours = presenceIn(routed.world)
})
afterAll(() => routed?.stop())

/** Whoever owned a field owns it again, and no one of ours. */
async function ownersOf({ story }: Place): Promise<readonly string[]> {
  const { client, namespace } = story
  const ref = { namespace, name: WORKLOAD }
  const objects: readonly KubeObject[] = [
    await client.get(SERVICES, ref),
    await client.get(HTTP_ROUTES, ref),
  ]
  return objects.flatMap(each => [...ownership(each).keys()])
}

test('eject and the documented commands free all with nobody of ours alive; eject frees what is left, too', async () => {
  const [ejected, byHand, gone, back] = await Promise.all([
    atFirstStep(routed),
    atFirstStep(routed),
    atFirstStep(routed),
    atFirstStep(routed),
  ])
  await ours.without(['webhook', 'controller'], async () => {
    await Promise.all([ejectedWhole(ejected), freedByHand(byHand), goneTogether(gone)])
    // Nobody is there who would guard them again.
    await Promise.all(
      [ejected, byHand].map(({ story }) => story.kubectl(['delete', 'rollout', ROLLOUT])),
    )
  })
  await rolledBack(back)
})

async function ejectedWhole(place: Place): Promise<void> {
  const { story } = place
  const args = ['eject', 'deployment/web', '-n', story.namespace, '--keep-rollouts']
  const said = await sluice(routed.world.cluster, [...args, '--dry-run'])
  expect(said.stdout).toMatch(/1 of 10 pods are new; requests first, then given back/)
  await place.shares(20)
  await sluice(routed.world.cluster, args)
  await place.untouched()
  await stand(story, { 'app:1': 0, 'app:2': 10 })
  answered(place)
  expect(worst(story).ready).toBeGreaterThanOrEqual(8)
  expect(await ownersOf(place)).not.toContain('sluice')
  const again = await sluice(routed.world.cluster, args)
  expect(again.stdout).toContain('nothing of Sluice is on it')
}

async function freedByHand(place: Place): Promise<void> {
  const { story } = place
  const commands = commandsOf(PAGE, 'Where requests are moved', story.namespace)
  await bash(routed.world.cluster, commands)
  await stand(story, { 'app:1': 0, 'app:2': 10 })
  await place.untouched()
  answered(place)
  const { metadata } = (await place.service())!
  expect(metadata.annotations?.[ESCAPE]).toBeUndefined()
}

async function goneTogether(place: Place): Promise<void> {
  const { story } = place
  await story.kubectl(['delete', 'rollout,deployment', '--all', '--wait=true'])
  const args = ['eject', '-n', story.namespace]
  const { stdout } = await sluice(routed.world.cluster, args)
  expect(stdout).toContain(
    `${story.namespace}/service/web: deployment/web is gone, and its requests are given back`,
  )
  await place.untouched()
}

/** The template of before is back, and then all of us die: new pods leave when requests have left them. */
async function rolledBack(place: Place): Promise<void> {
  const { story } = place
  await ours.without(['controller'], async () => {
    await story.edit('app:1')
    const from = place.sights.length
    const args = ['eject', 'deployment/web', '-n', story.namespace, '--keep-rollouts']
    const { stdout } = await sluice(routed.world.cluster, args)
    expect(stdout).toContain('rolled back, and 9 of 10 pods are stable; requests first')
    await stand(story, { 'app:1': 10, 'app:2': 0 })
    await place.untouched()
    const fewer = place.sights.slice(from).find(({ newPods }) => newPods < 1)
    expect(fewer).toMatchObject({ share: 0 })
    answered(place)
    await story.kubectl(['delete', 'rollout', ROLLOUT])
  })
}

test('a controller frees what a workload and its Rollout have left that were deleted together', async () => {
  const [alive, dead] = await Promise.all([atFirstStep(routed), atFirstStep(routed)])
  await alive.story.kubectl(['delete', 'rollout,deployment', '--all', '--wait=true'])
  await alive.untouched()
  await ours.without(['controller'], async () => {
    await dead.story.kubectl(['delete', 'rollout,deployment', '--all', '--wait=true'])
  })
  await dead.untouched()
})
