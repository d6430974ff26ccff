// One object that nobody can make sense of among many good ones: they are released as ever, with as many
// decisions, and the controller does not turn round and round about the poisoned one. FAULTS=all: 100.

import { afterAll, beforeAll, expect, test } from 'vitest'

import type { Deployment, KubeObject } from '#api/kubernetes.ts'
import { HOLD, RECORD, WORKLOAD_TYPE } from '#api/names.ts'
import type { Rollout } from '#api/rollout.generated.ts'
import { DEPLOYMENTS, NAMESPACES, ROLLOUTS } from '#kube/resources.ts'
import type { ResourceType } from '#kube/resources.ts'
import { until } from '../../dev/until.ts'
import { reportAtEnd } from './fault-report.ts'
import { workloadOf, rolloutOf } from './manifests.ts'
import { decisionsOf, writesWhenWoken } from './quiet.ts'
import { startWorld } from './world.ts'
import type { World } from './world.ts'

const good = process.env['FAULTS'] === 'all' ? 100 : 30
const namespace = 'many'
const names = Array.from({ length: good }, (_, index) => `web-${index}`)
const rollouts = ROLLOUTS as ResourceType<Rollout>

let world: World
beforeAll(async () => {
  world = await startWorld({ failurePolicy: 'Ignore', policy: false })
  const metadata = { name: namespace }
  const place = { apiVersion: 'v1', kind: 'Namespace', metadata }
  await world.client.create(NAMESPACES, place)
  for (const name of names) await create(name)
  await everybody('Healthy')
})
afterAll(() => world?.stop())

async function create(name: string): Promise<void> {
  const { deployment, rollout } = pairOf(name)
  await world.client.create(DEPLOYMENTS, deployment)
  await world.client.create(rollouts, rollout)
}

function pairOf(name: string) {
  const deployment = workloadOf(namespace, { replicas: 2 }) as Deployment
  const rollout = rolloutOf(namespace, {}) as Rollout
  const { template, ...spec } = deployment.spec
  const labels = { app: name }
  const own = { ...template, metadata: { labels } }
  const workloadRef = { ...rollout.spec.workloadRef, name }
  return {
    deployment: {
      ...deployment,
      metadata: { namespace, name },
      spec: { ...spec, selector: { matchLabels: labels }, template: own },
    } as KubeObject,
    rollout: { ...rollout, metadata: { namespace, name }, spec: { ...rollout.spec, workloadRef } },
  }
}

/** Waits until all good Rollouts are so; else says who is not, and what was last logged of one. */
async function everybody(state: string): Promise<void> {
  let others: readonly Rollout[] = []
  const there = async () => {
    const { items } = await world.client.listAll(rollouts, { namespace })
    others = items.filter(({ metadata, status }) => {
      const now: readonly unknown[] = [status?.phase, status?.canaryStatus?.currentStepState]
      return names.includes(metadata.name) && !now.includes(state)
    })
    return items.length >= good && others.length === 0
  }
  await until(`not everybody is ${state}`, there, 120_000).catch((error: Error) => {
    const lines = others.map(
      ({ metadata, status }) => `${metadata.name}: ${JSON.stringify(status)}`,
    )
    const first = new RegExp(`"${others[0]?.metadata.name}"|/${others[0]?.metadata.name}[" ]`)
    const logged = world.log.filter(line => first.test(line)).slice(-10)
    throw new Error([error.message, ...lines, ...logged].join('\n'))
  })
}

/** Releases all good ones to the end, and gives how many decisions that took. */
async function released(version: string): Promise<number> {
  const { controller } = world.sluice
  const before = await decisionsOf(controller)
  const containers = [{ name: 'app', image: `app:${version}` }]
  const edit = { spec: { template: { spec: { containers } } } }
  await Promise.all(
    names.map(name => world.client.strategicPatch(DEPLOYMENTS, { namespace, name }, edit)),
  )
  await everybody('StepPaused')
  const end = { status: { canaryStatus: { nextStepIndex: 3 } } }
  await Promise.all(
    names.map(name =>
      world.client.mergePatch(rollouts, { namespace, name }, end, { subresource: 'status' }),
    ),
  )
  await everybody('Healthy')
  return (await decisionsOf(controller)) - before
}

/** What was stored while nobody of ours looked: marks and plans that say nothing. */
async function poison(): Promise<readonly string[]> {
  const { client, sluice } = world
  await sluice.webhook.stop('SIGKILL')
  const bad = ['hold', 'record', 'plan', 'both']
  const marks: Readonly<Record<string, object>> = {
    hold: { [HOLD]: 'mode=;;pods=\u0000;seq=x;', [RECORD]: '{}' },
    record: { [HOLD]: 'mode=wave;pods=1;budget=10%;surge=0%;rollout-id=r;seq=1;', [RECORD]: '{"' },
    both: { [HOLD]: '', [RECORD]: '[]' },
    plan: {},
  }
  for (const name of bad) {
    const { deployment, rollout } = pairOf(name)
    const metadata = {
      ...deployment.metadata,
      annotations: marks[name],
      labels: { [WORKLOAD_TYPE]: 'deployment' },
    }
    await client.create(DEPLOYMENTS, { ...deployment, metadata } as KubeObject)
    // The API server itself refuses a plan without steps; this one it stores.
    const more = name === 'plan' && { trafficRoutingRef: 'shop' }
    const canary = { ...rollout.spec.strategy.canary, ...more }
    const spec = { ...rollout.spec, strategy: { ...rollout.spec.strategy, canary } }
    await client.create(rollouts, { ...rollout, spec } as KubeObject)
  }
  await sluice.startWebhook()
  return bad
}

test('the good ones take no more decisions beside it, and nobody goes round in circles', async () => {
  const before = await released('2')
  const bad = await poison()
  reportAtEnd('poison', [
    { fault: `an object without sense among ${good} good ones`, times: bad.length },
  ])
  const beside = await released('3')
  expect(beside).toBeLessThan(before * 3 + 20 * bad.length)
  const writes = await writesWhenWoken(world.sluice.controller, good, () => {
    const patch = { metadata: { labels: { woken: 'yes' } } }
    return Promise.all(
      names.map(name => world.client.mergePatch(DEPLOYMENTS, { namespace, name }, patch)),
    )
  })
  expect(writes).toBe(0)
})
