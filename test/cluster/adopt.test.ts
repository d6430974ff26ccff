// Arriving: what `sluice adopt` proposes is taken by the API server as it is, and the edit after it is
// held as was said.

import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { promisify } from 'node:util'

import { afterAll, beforeAll, expect, test } from 'vitest'

import type { KubeObject } from '#api/kubernetes.ts'
import { DISRUPTION_BUDGETS, POD_AUTOSCALERS } from '#kube/resources.ts'
import { kubectl, sluice } from './commands.ts'
import type { CommandOptions } from './commands.ts'
import { warningsOf } from './deployment-facts.ts'
import { stand, worst } from './facts.ts'
import { installPackage } from './installed.ts'
import { WORKLOAD } from './manifests.ts'
import type { Story } from './story.ts'
import { startWorld } from './world.ts'
import type { World } from './world.ts'

let world: World
beforeAll(async () => {
  world = await startWorld()
})
afterAll(() => world?.stop())

function adopt({ namespace }: Story, options?: CommandOptions) {
  return sluice(world.cluster, ['adopt', `deploy/${WORKLOAD}`, '-n', namespace], options)
}

function told(stderr: string): readonly string[] {
  const [, lines = ''] = stderr.split('at the next edit:\n')
  return lines
    .trimEnd()
    .split('\n')
    .map(line => line.trim())
}

/** All but the name of the release, which an edit has only when it is made. */
function withoutRelease(lines: readonly string[]): readonly string[] {
  return lines.map(line => line.replace(/sluice\.dev\/abort=.*/, 'sluice.dev/abort='))
}

const patience = '--timeout=90s'

/** Applies what was proposed, edits, and gives what the edit was told. */
async function applied(
  story: Story,
  manifest: string,
  then: 'Ready' | 'Stalled' = 'Ready',
): Promise<readonly string[]> {
  await kubectl(world.cluster, ['apply', '-f', '-'], { input: manifest })
  await story.kubectl(['wait', `rollout/${WORKLOAD}`, `--for=condition=${then}`, patience])
  return warningsOf(await story.edit('app:2'))
}

const disabled = JSON.stringify({ spec: { disabled: true } })

const containers = [
  { name: 'app', image: 'app:1', readinessProbe: { httpGet: { path: '/', port: 80 } } },
]
const probed = { metadata: { labels: { app: WORKLOAD } }, spec: { containers } }

test.concurrent('with an autoscaler, a disruption budget and a probe', async () => {
  const story = await world.story({ steps: false, replicas: 12, spec: { template: probed } })
  const { namespace } = story
  const metadata = { namespace, name: 'web-scaler' }
  const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: WORKLOAD }
  const scaler = { scaleTargetRef, minReplicas: 12, maxReplicas: 40 }
  const { apiVersion, kind } = POD_AUTOSCALERS
  await world.client.create(POD_AUTOSCALERS, {
    apiVersion,
    kind,
    metadata,
    spec: scaler,
  } as KubeObject)
  const selector = { matchLabels: { app: WORKLOAD } }
  await world.client.create(DISRUPTION_BUDGETS, {
    apiVersion: DISRUPTION_BUDGETS.apiVersion,
    kind: DISRUPTION_BUDGETS.kind,
    metadata: { namespace, name: 'web-budget' },
    spec: { maxUnavailable: 1, selector },
  } as KubeObject)

  const { stdout, stderr } = await adopt(story)
  expect(stdout).toContain('# - 12 pods, 12 to 40 by autoscaler web-scaler')
  expect(stdout).toContain('# - disruption budget web-budget lets only 1 be away')
  expect(stdout).toContain('duration: 300')
  const said = told(stderr)
  expect(said[0]).toMatch(/^release starts with step 1 of 3: 2 of 12 pods, then waits for approval/)
  story.forget()
  expect(withoutRelease(await applied(story, stdout))).toEqual(withoutRelease(said))
  await story.until('2 new ones', () => story.now().wanted['app:2'] === 2)
  await stand(story, { 'app:1': 10, 'app:2': 2 })
  expect(worst(story).ready).toBeGreaterThanOrEqual(9)

  const { stderr: again } = await adopt(story, { expectFailure: true })
  expect(again).toBe(`sluice: Rollout ${WORKLOAD} names deployment/${WORKLOAD} already\n`)
})

test.concurrent('one pod is replaced by its step, and waits there', async () => {
  const story = await world.story({ steps: false, replicas: 1 })
  const { stdout, stderr } = await adopt(story)
  expect(withoutRelease(await applied(story, stdout))).toEqual(withoutRelease(told(stderr)))
  await stand(story, { 'app:1': 0, 'app:2': 1 })
  const paused = 'jsonpath={.status.canaryStatus.currentStepState}=StepPaused'
  await story.kubectl(['wait', `rollout/${WORKLOAD}`, `--for=${paused}`, patience])
})

test.concurrent('what cannot be held is said before as it is said then', async () => {
  const story = await world.story({ steps: false, spec: { strategy: { type: 'Recreate' } } })
  const { stdout, stderr } = await adopt(story)
  expect(stdout).toContain('# - it cannot be held: its strategy is Recreate, which has no steps')
  const said = told(stderr)
  expect(said).toEqual([
    'not held: its strategy is Recreate, which has no steps; the edit goes out now, without steps, by the strategy of the workload',
  ])
  expect(await applied(story, stdout, 'Stalled')).toEqual(said)
})

test.concurrent('as it is packed, by whatever Node the system has', async () => {
  const story = await world.story({ steps: false })
  const script = await installPackage(world.cluster.dir)
  // It may be older than the one that runs the tests.
  const node = ['/usr/bin/node', process.execPath].find(path => existsSync(path))!
  const sluiceOf = async (command: string, workload = [`deployment/${WORKLOAD}`]) => {
    const args = [script, command, ...workload, '-n', story.namespace]
    const env = { ...process.env, KUBECONFIG: world.cluster.kubeconfig }
    return (await promisify(execFile)(node, args, { env })).stdout
  }
  expect(await sluiceOf('adopt')).toBe((await adopt(story)).stdout)
  await applied(story, await sluiceOf('adopt'))
  // So that the controller does not come first.
  await story.kubectl(['patch', 'rollout', WORKLOAD, '--type=merge', '-p', disabled])
  await stand(story, { 'app:1': 0, 'app:2': 10 })
  const phase = '--for=jsonpath={.status.phase}=Disabled'
  await story.kubectl(['wait', `rollout/${WORKLOAD}`, phase, patience])
  expect(await sluiceOf('eject')).toMatch(/^\S+\/deployment\/web: .*given back/)
  expect(await sluiceOf('eject', [])).toMatch(/^nothing of Sluice is on any workload of namespace /)
})

test.concurrent('a Deployment that is not there is named', async () => {
  const args = ['adopt', 'deploy/none', '-n', 'default']
  const { stderr } = await sluice(world.cluster, args, { expectFailure: true })
  expect(stderr).toBe('sluice: there is no deployment/none in namespace default\n')
})
