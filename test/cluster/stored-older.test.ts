// Rollouts that are stored in the older version, by the chart: the API server needs a webhook of ours to
// read them, and its Service leads to none that is not ready. All of them die, and come back by themselves.

import { afterAll, beforeAll, expect, test } from 'vitest'

import { CUSTOM_RESOURCES, NAMESPACES, ROLLOUTS_DEFINITION } from '#kube/resources.ts'
import type { Child } from '../../dev/child.ts'
import { at, CHART, startChartPlace } from './chart-place.ts'
import type { ChartPlace } from './chart-place.ts'
import { helm } from './commands.ts'
import { stand } from './facts.ts'
import { rolloutOf, workloadOf } from './manifests.ts'
import { scrape } from './scrape.ts'
import { createStory } from './story.ts'
import type { Story } from './story.ts'

let place: ChartPlace
beforeAll(async () => {
  place = await startChartPlace()
})
afterAll(() => place?.stop())

/** As a kubelet and a Service do it: whoever says that he is ready is led to from then on. */
async function startWebhooks(): Promise<readonly Child[]> {
  const ready: Child[] = []
  await Promise.all(
    (await place.podsOf('webhook')).map(async pod => {
      const child = await place.start(pod)
      const probes = `http://127.0.0.1:${String(child.ready['probesPort'])}`
      expect((await fetch(`${probes}/readyz`)).status).toBe(200)
      ready.push(child)
      await place.lead(...ready)
    }),
  )
  return ready
}

/** What is written from now on is stored so; the API server reads everything anew. */
async function storeAs(stored: 'v1alpha1' | 'v1beta1'): Promise<void> {
  const definition = { name: ROLLOUTS_DEFINITION }
  const { spec } = await place.client.get(CUSTOM_RESOURCES, definition)
  const { versions } = spec as typeof spec & { readonly versions: readonly { name: string }[] }
  await place.client.mergePatch(CUSTOM_RESOURCES, definition, {
    spec: { versions: versions.map(each => ({ ...each, storage: each.name === stored })) },
  })
}

async function storyIn(namespace: string): Promise<Story> {
  const { cluster, client, log } = place
  const metadata = { name: namespace }
  await client.create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata })
  const story = await createStory({ cluster, client, namespace, log })
  await story.create(workloadOf(namespace, {}))
  await story.create(rolloutOf(namespace, {}))
  await story.phase('Healthy')
  return story
}

test('webhooks that all died are back by themselves, and no edit goes out unheld', async () => {
  await helm(place.cluster, ['install', 'sluice', CHART, ...at, '--wait'])
  const webhooks = await startWebhooks()
  for (const pod of await place.podsOf('controller')) await place.start(pod)
  await storeAs('v1alpha1')
  const story = await storyIn('shop')
  await story.edit('app:2')
  await story.reached(1)

  await Promise.all(webhooks.map(child => child.stop('SIGKILL')))
  await place.lead()
  await storeAs('v1beta1')
  await story.until('that nobody converts', async () => {
    const failure = { expectFailure: true }
    // Until it reads everything anew it answers.
    const failed = await story.kubectl(['get', 'rollouts'], failure).catch(() => undefined)
    return failed?.stderr.includes('conversion webhook') === true
  })

  const back = await startWebhooks()
  for (const webhook of back) {
    await story.until('all Rollouts in its cache', async () => {
      const numbers = await scrape(webhook)
      const listed = numbers.by('sluice_webhook_watch_events_total', 'what', 'resource="rollouts"')
      return (listed['listed'] ?? 0) > 0
    })
  }
  await story.approve()
  await story.reached(2)
  await stand(story, { 'app:1': 5, 'app:2': 5 })
  const { stderr } = await story.edit('app:3')
  expect(stderr).toContain('step 1 of 3')
  await story.reached(1)
  story.close()
})
