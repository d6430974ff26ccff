// The Service of the webhook, for real: the API server of this cluster finds the webhook by the EndpointSlices that
// the controller-manager makes of the chart's Service and its Ready pods, which listen at their own addresses, on
// the ports that the chart names. Nothing plays kube-proxy.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { seeEndpoints } from '#core/traffic/seen.ts'
import { ENDPOINT_SLICES, NAMESPACES } from '#kube/resources.ts'
import { walkToTheEnd } from './approvals.ts'
import { at, CHART, namespace, podsOf } from './chart-place.ts'
import { helm, kubectl } from './commands.ts'
import { stand } from './facts.ts'
import { rolloutOf, workloadOf } from './manifests.ts'
import { namespaceTrouble } from './pod-network/namespace.ts'
import { startPodNetwork } from './pod-network/place.ts'
import type { PodNetwork } from './pod-network/place.ts'
import { createStory } from './story.ts'
import type { Story } from './story.ts'

const trouble = namespaceTrouble()
if (trouble !== undefined) process.stderr.write(`service.test.ts is skipped: ${trouble}\n`)

const values = 'image.tag=served,webhook.drainSeconds=2,controller.replicas=1'

describe.skipIf(trouble !== undefined)('the API server finds the webhook by its Service', () => {
  let place: PodNetwork
  let story: Story
  beforeAll(async () => {
    place = await startPodNetwork(['--enable-aggregator-routing=true'])
    const { cluster, client, log } = place
    const install = ['install', 'sluice', CHART, ...at, '--create-namespace', '--wait']
    await logged(helm(cluster, [...install, '--set', values]))
    const shop = 'shop'
    const metadata = { name: shop }
    await client.create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata })
    story = await createStory({ cluster, client, namespace: shop, log })
    await story.create(workloadOf(shop, {}))
    await story.create(rolloutOf(shop, {}))
    await story.phase('Healthy')
  })
  afterAll(async () => {
    story?.close()
    await place?.stop()
  })

  /** What fails tells what the processes said. */
  async function logged<T>(work: Promise<T>): Promise<T> {
    try {
      return await work
    } catch (cause) {
      throw new Error(`${String(cause)}\n${place.log.slice(-40).join('\n')}`, { cause })
    }
  }

  /** The pods to which the Service leads, by uid. */
  async function behind(): Promise<readonly string[]> {
    const labelSelector = 'kubernetes.io/service-name=sluice-webhook'
    const { items } = await place.client.listAll(ENDPOINT_SLICES, { namespace, labelSelector })
    return items.map(seeEndpoints).flatMap(({ ready }) => ready)
  }

  /** The edit is answered by our webhook, and so is a read of the older version. */
  async function isHeld(image: string): Promise<void> {
    const { stderr } = await story.edit(image)
    expect(stderr, place.log.slice(-40).join('\n')).toContain('step 1 of 3: 1 of 10 pods')
    await logged(story.kubectl(['get', 'rollouts.v1alpha1.rollouts.kruise.io']))
  }

  test('an edit is held, and released to the end', async () => {
    await story.until('two endpoints', async () => (await behind()).length === 2)
    await isHeld('app:2')
    await story.reached(1)
    await stand(story, { 'app:1': 9, 'app:2': 1 })
    await walkToTheEnd(story)
    await stand(story, { 'app:1': 0, 'app:2': 10 })
  })

  test('an edit is held with either of the two webhooks gone', async () => {
    const { cluster, client } = place
    const nodes = ['node-1', 'node-2']
    for (const [index, { metadata }] of (await podsOf(client, 'webhook')).entries()) {
      const staying = (await behind()).filter(uid => uid !== metadata.uid)
      expect(staying).toHaveLength(1)
      // Nobody takes its place.
      await kubectl(cluster, ['cordon', ...nodes])
      await kubectl(cluster, ['delete', 'pod', metadata.name, ...at])
      await story.until('one endpoint', async () => String(await behind()) === String(staying))
      await isHeld(`app:${index}-leaves`)
      await logged(place.ended(metadata.name))
      await isHeld(`app:${index}-is-gone`)
      await kubectl(cluster, ['uncordon', ...nodes])
      await story.until('two endpoints', async () => (await behind()).length === 2)
    }
    await walkToTheEnd(story)
    await stand(story, { 'app:2': 0, 'app:1-is-gone': 10 })
  })
})
