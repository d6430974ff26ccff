// Requests move by HTTPRoutes of a cluster that serves them in an older version alone; a kind that it does not
// serve at all is named.

import { afterAll, beforeAll, expect, test } from 'vitest'

import { HTTP_ROUTES } from '#kube/resources.ts'
import { sluice } from './commands.ts'
import { presenceIn } from './absence.ts'
import { ownKeys } from './deployment-facts.ts'
import { says, stand, told } from './facts.ts'
import { ROLLOUT, WORKLOAD } from './manifests.ts'
import { answered, atFirstStep, begin, startRouted } from './routed.ts'
import type { Routed } from './routed.ts'

let routed: Routed
beforeAll(async () => {
  routed = await startRouted({ ...HTTP_ROUTES, apiVersion: 'gateway.networking.k8s.io/v1beta1' })
})
afterAll(() => routed?.stop())

test.concurrent('step by step, and back', async () => {
  const place = await atFirstStep(routed)
  const { story } = place
  expect((await place.route()).apiVersion).toBe('gateway.networking.k8s.io/v1beta1')
  await story.approve()
  await story.reached(2)
  await place.shares(50)
  await story.edit('app:1')
  await story.phase('Healthy')
  await stand(story, { 'app:1': 10 })
  await place.untouched()
  answered(place)
})

test.concurrent('a kind that the cluster does not serve is named, and pods serve', async () => {
  const virtualService = {
    apiVersion: 'networking.istio.io/v1',
    kind: 'VirtualService',
    name: 'web',
  }
  const trafficRoutings = [{ service: 'web', customNetworkRefs: [virtualService] }]
  const { story } = await begin(routed, { canary: { trafficRoutings } })
  const why = 'the cluster does not serve networking.istio.io/v1 VirtualService: install its CRD'
  await says(story, `the next release waits before step 1, since requests cannot be moved: ${why}`)
  await story.edit('app:2')
  await says(story, /^since [^ ]+: the cluster does not serve networking.istio.io/)
  await stand(story, { 'app:1': 10 })
  await story.edit('app:1')
  await story.phase('Healthy')
})

test.concurrent('a kind that is misspelt keeps no release from going back, nor its Rollout from being mended', async () => {
  const lane = { apiVersion: 'networking.istio.io/v1', kind: 'VirtualServic', name: WORKLOAD }
  const trafficRoutings = [{ service: 'web', customNetworkRefs: [lane] }]
  const { story } = await begin(routed, { canary: { trafficRoutings } })
  const why = 'networking.istio.io/v1 VirtualServic is not registered: name another kind'
  await says(story, why)
  await story.edit('app:2')
  await says(story, new RegExp(`^since [^ ]+: ${why}`))
  await stand(story, { 'app:1': 10 })
  await story.edit('app:1')
  await story.phase('Healthy')
  expect(await told(story, 'ReleaseRolledBack')).toHaveLength(1)
  await story.kubectl(['delete', 'rollout', ROLLOUT])
  await story.until('nothing of ours is left', async () => {
    return ownKeys(await story.deployment()).length === 0
  })
})

test('eject frees it with nobody of ours alive', async () => {
  const place = await atFirstStep(routed)
  const { story } = place
  await presenceIn(routed.world).without(['webhook', 'controller'], async () => {
    const workload = ['deployment/web', '-n', story.namespace, '--keep-rollouts']
    await sluice(routed.world.cluster, ['eject', ...workload])
    await place.untouched()
    await story.kubectl(['delete', 'rollout', ROLLOUT])
  })
})
