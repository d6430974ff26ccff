// `helm uninstall` in the middle of releases: its Job gives every workload back before anything is taken
// away. The test plays the kubelet for that Job too, with the ServiceAccount that Helm has made for it.

import { afterAll, afterEach, beforeAll, expect, onTestFinished, test } from 'vitest'

import { NAMESPACES, REPLICA_SETS } from '#kube/resources.ts'
import { walkTo } from './approvals.ts'
import { at, CHART, startChartPlace } from './chart-place.ts'
import type { ChartPlace } from './chart-place.ts'
import { helm } from './commands.ts'
import { apart } from './deployment-facts.ts'
import type { Specified } from './deployment-facts.ts'
import { abort, hasCondition, stand, worst } from './facts.ts'
import { workloadOf, rolloutOf } from './manifests.ts'
import { rightsOf } from './rights.ts'
import { createStory } from './story.ts'
import type { Story } from './story.ts'
import { nothingLeft, PLAYED, playJob, uninstaller } from './uninstall-job.ts'

const values = `${PLAYED},controller.leaseSeconds=3,webhook.drainSeconds=0`

let place: ChartPlace
beforeAll(async () => {
  place = await startChartPlace()
})
afterAll(() => place?.stop())
afterEach(() => place.stopAll('SIGKILL'))

/** A workload of 4 that is guarded, and how it was before. */
interface Guarded {
  readonly story: Story
  readonly before: Specified
}

async function createNamespace(name: string): Promise<void> {
  const metadata = { name }
  await place.client.create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata })
}

const rollingUpdate = { maxUnavailable: 1, maxSurge: 1 }
const specs = {
  Deployment: { strategy: { type: 'RollingUpdate', rollingUpdate }, minReadySeconds: 1 },
  StatefulSet: { podManagementPolicy: 'Parallel' },
}

async function guarded(name: string): Promise<Guarded> {
  const { cluster, client, log } = place
  const kind = name === 'ordinal' ? 'StatefulSet' : 'Deployment'
  const story = await createStory({ cluster, client, namespace: name, log }, kind)
  onTestFinished(() => story.close())
  await story.create(workloadOf(name, { kind, replicas: 4, spec: specs[kind] }))
  const before = await story.workload<Specified>()
  await story.create(rolloutOf(name, { kind }))
  await story.phase('Healthy')
  return { story, before }
}

async function startAll(): Promise<void> {
  const [webhook] = await place.podsOf('webhook')
  await place.lead(await place.start(webhook!))
  for (const pod of await place.podsOf('controller')) await place.start(pod)
}

/** The workload is as before, and its ReplicaSets carry nothing of ours. */
async function expectNoTrace({ story, before }: Guarded): Promise<void> {
  expect(apart(await story.workload())).toEqual(apart(before))
  const { items } = await place.client.listAll(REPLICA_SETS, { namespace: story.namespace })
  for (const { metadata, spec } of items) {
    expect(JSON.stringify(metadata.annotations)).not.toMatch(/sluice|kruise/)
    expect(spec.minReadySeconds).toBe(1)
  }
}

const install = ['install', 'sluice', CHART, ...at, '--wait', '--set']
const uninstall = ['uninstall', 'sluice', ...at]
const longEnough = { timeoutMs: 300_000 }

test('Helm 4 gives everything back though controllers live, or fails and all goes on', async () => {
  const { cluster, client } = place
  await helm(cluster, [...install, values])
  await startAll()
  const names = ['aborted', 'ordinal', 'rest', 'step']
  await Promise.all(names.map(each => createNamespace(each)))
  const scenes = await Promise.all(names.map(each => guarded(each)))
  const [aborted, ordinal, , stepping] = scenes as [Guarded, Guarded, Guarded, Guarded]
  for (const { story } of [aborted, ordinal, stepping]) await story.edit('app:2')
  await walkTo(ordinal.story, 2)
  await walkTo(stepping.story, 2)
  await aborted.story.reached(1)
  await abort(aborted.story)
  await hasCondition(aborted.story, 'Stalled', 'Aborted')

  const failing = helm(cluster, uninstall, { ...longEnough, expectFailure: true })
  const [refused, failed] = await Promise.all([playJob(place), failing])
  expect(refused.code).toBe(1)
  expect(refused.said).toEqual([
    expect.stringMatching(
      /^aborted\/deployment\/web: not given back: .*aborted.* put the old template/,
    ),
    expect.stringMatching(/^sluice-uninstall: nothing was given back: .* or with --no-hooks/),
  ])
  for (const line of refused.said) expect(failed.stdout + failed.stderr).toContain(line)
  // All goes on, and what the Job was allowed is gone.
  expect(await rightsOf(client, uninstaller)).toEqual([])
  await stepping.story.approve()
  await stepping.story.phase('Healthy')
  await stepping.story.edit('app:3')
  await walkTo(stepping.story, 2)
  // Helm would not upgrade it otherwise.
  await helm(cluster, ['rollback', 'sluice', '1', ...at])

  await aborted.story.edit('app:1')
  await aborted.story.phase('Healthy')
  stepping.story.forget()
  const [played] = await Promise.all([
    playJob(place),
    helm(cluster, [...uninstall, '--wait'], longEnough),
  ])
  await place.stopAll('SIGKILL')
  expect(played.said.map(line => line.replace(/release \S+:/, 'release:'))).toEqual([
    'giving back 4 workloads',
    'aborted/deployment/web: no release was running; given back, no pod moves',
    'ordinal/statefulset/web: release: step 2 of 3, 2 of 4 pods are new; given back, the other 2 become new now by its own strategy (partition 0, maxUnavailable 1)',
    'rest/deployment/web: no release was running; given back, no pod moves',
    'step/deployment/web: release: step 2 of 3, 2 of 4 pods are new; given back, the other 2 become new now by its own strategy (maxUnavailable 1, maxSurge 1)',
  ])
  await nothingLeft(place)
  await stand(stepping.story, { 'app:2': 0, 'app:3': 4 })
  await stand(ordinal.story, { 'app:1': 0, 'app:2': 4 })
  expect(worst(stepping.story).ready).toBeGreaterThanOrEqual(3)
  for (const scene of scenes) await expectNoTrace(scene)
})
