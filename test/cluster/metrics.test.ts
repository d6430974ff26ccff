// The numbers of both processes after real releases: one that went through, one that was rolled back,
// one that was aborted.

import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'

import { DEPLOYMENTS } from '#kube/resources.ts'
import { stopwatch } from '#kube/stopwatch.ts'
import { until } from '../../dev/until.ts'
import { abort, hasCondition } from './facts.ts'
import { startFaultProxy } from './fault-proxy.ts'
import type { Fault } from './fault-proxy.ts'
import { WORKLOAD } from './manifests.ts'
import type { ProxiedRequest } from './proxied-request.ts'
import { scrape } from './scrape.ts'
import type { Numbers } from './scrape.ts'
import type { Story } from './story.ts'
import { startWorld } from './world.ts'
import type { World } from './world.ts'

let world: World
let controller: Numbers
let webhook: Numbers
beforeAll(async () => {
  world = await startWorld()
  const stories = [await world.story(), await world.story(), await world.story()]
  const [completed, canceled, aborted] = stories as [Story, Story, Story]
  await Promise.all([
    released(completed, async () => {
      await completed.approve()
      await completed.reached(2)
      await completed.approve()
      await completed.phase('Healthy')
    }),
    released(canceled, async () => {
      await canceled.edit('app:1')
      await canceled.phase('Healthy')
    }),
    released(aborted, async () => {
      await abort(aborted)
      await hasCondition(aborted, 'Stalled', 'Aborted')
    }),
  ])
  controller = await scrape(world.sluice.controller)
  webhook = await scrape(world.sluice.webhook)
})
afterAll(() => world?.stop())

async function released(story: Story, how: () => Promise<void>): Promise<void> {
  await story.edit('app:2')
  await story.reached(1)
  await how()
}

test('each release is counted by its outcome, once', () => {
  expect(controller.by('sluice_controller_releases_total', 'outcome')).toEqual({
    completed: 1,
    takenOver: 0,
    overtaken: 0,
    canceled: 1,
    aborted: 1,
    released: 0,
  })
})

test('the time in each reason is counted, and of a wait that is not over as it passes', async () => {
  const waits = controller.by('sluice_controller_wait_seconds_total', 'reason')
  const known = ['StepPaused', 'InRolling', 'Aborted', 'Cancelling']
  for (const reason of known) expect(waits[reason], reason).toBeGreaterThan(0)
  for (const reason of ['Conflict', 'Paused']) expect(waits[reason], reason).toBe(0)
  const later = (await scrape(world.sluice.controller)).by(
    'sluice_controller_wait_seconds_total',
    'reason',
  )
  expect(later['Aborted']).toBeGreaterThan(waits['Aborted']!)
  expect(later['Cancelling']).toBe(waits['Cancelling'])
})

test('writes, decisions, watches and the lead are counted', () => {
  const writes = controller.by('sluice_controller_writes_total', 'kind')
  for (const kind of ['workload', 'status', 'event', 'replicaSet', 'workloadStatus']) {
    expect(writes[kind], kind).toBeGreaterThan(0)
  }
  const decisions = controller.by('sluice_controller_decision_seconds_count', 'outcome')
  expect(decisions['ok']).toBeGreaterThanOrEqual(writes['status']!)
  expect(decisions['error']).toBe(0)
  // A write that met a newer version is always decided again.
  const conflicts = controller.only('sluice_controller_conflicts_total')
  expect(decisions['retry']).toBeGreaterThanOrEqual(conflicts)
  expect(controller.only('sluice_controller_leader')).toBe(1)
  const lists = controller.by('sluice_controller_watch_events_total', 'resource', 'what="listed"')
  const known = Object.keys(lists)
  const absent = each(known.filter(isAbsent), 0)
  // A change of the CRD, such as whom to trust, ends the watch of its objects: they may be listed again.
  const { rollouts } = lists
  expect(rollouts).toBeGreaterThanOrEqual(1)
  expect(lists).toEqual({
    ...each(known, 1),
    mutatingwebhookconfigurations: 2,
    rollouts,
    ...absent,
  })
  expect(absent).not.toEqual({})
})

test('the webhook counts what it answered and what it held', () => {
  expect(webhook.only('sluice_webhook_held_edits_total')).toBeGreaterThanOrEqual(3)
  const patched = webhook.by('sluice_webhook_reviews_total', 'operation', 'outcome="patched"')
  expect(patched['UPDATE']).toBeGreaterThanOrEqual(3)
  expect(webhook.only('sluice_webhook_bugs_total')).toBe(0)
  const end = webhook.only('sluice_webhook_certificate_expiry_timestamp_seconds')
  expect(end).toBeGreaterThan(Date.now() / 1000)
  const watching = webhook.by('sluice_webhook_watch_events_total', 'resource', 'what="watching"')
  // A change of the CRD, such as whom to trust, ends the watches of its objects.
  const { rollouts } = watching
  const known = Object.keys(watching)
  expect(watching).toEqual({ ...each(known, 1), mutatingwebhookconfigurations: 2, rollouts })
})

const requests = [
  'services',
  'endpointslices',
  'configmaps',
  'destinationrules.networking.istio.io',
  'virtualservices.networking.istio.io',
  'ingresses.networking.k8s.io',
  'httproutes.gateway.networking.k8s.io',
  'grpcroutes.gateway.networking.k8s.io',
]

/** This cluster has no CRD of Kruise, and no Rollout that moves requests, so nobody lists what those need. */
function isAbsent(resource: string): boolean {
  return resource.endsWith('.apps.kruise.io') || requests.includes(resource)
}

/** Of webhook configurations there are two, ours and that of Kruise Rollouts, each by its name. */
function each(resources: readonly string[], count: number): Readonly<Record<string, number>> {
  return Object.fromEntries(resources.map(resource => [resource, count]))
}

test('a write that meets a newer version and a watch that breaks are counted', async () => {
  const { child, proxy, story } = await besideProxy()
  const calm = await scrape(child)
  proxy.fault = once(
    ({ verb, resource, namespace }) =>
      verb === 'patch' && resource === 'deployments' && namespace === story.namespace,
    () => {
      const patch = { metadata: { labels: { touched: 'meanwhile' } } }
      const ref = { namespace: story.namespace, name: WORKLOAD }
      return story.client.mergePatch(DEPLOYMENTS, ref, patch)
    },
  )
  await story.approve()
  await story.reached(2)
  const later = await scrape(child)
  const conflicts = (numbers: Numbers) => numbers.only('sluice_controller_conflicts_total')
  expect(conflicts(later)).toBeGreaterThan(conflicts(calm))
  const decisions = later.by('sluice_controller_decision_seconds_count', 'outcome')
  expect(decisions['retry']).toBeGreaterThanOrEqual(conflicts(later))

  const watched = (numbers: Numbers, what: string) =>
    numbers.by('sluice_controller_watch_events_total', 'resource', `what="${what}"`)['replicasets']!
  const isWatch = ({ verb, resource }: ProxiedRequest) =>
    verb === 'watch' && resource === 'replicasets'
  const before = await scrape(child)
  proxy
    .open()
    .find(({ request }) => isWatch(request))!
    .reset()
  await until('the watch does not begin anew', async () => {
    return watched(await scrape(child), 'watching') > watched(before, 'watching')
  })
  const after = await scrape(child)
  expect(watched(after, 'failed')).toBe(watched(before, 'failed') + 1)
  expect(watched(after, 'listed')).toBe(watched(before, 'listed'))
})

test('a webhook that is away is shown, and as soon as it is back what waits for it goes on', async () => {
  const { child, proxy, story } = await besideProxy()
  const reached = async () => (await scrape(child)).only('sluice_controller_webhook_reached')
  await until('the webhook is not reached', async () => (await reached()) === 1)
  const message = 'failed calling webhook "probe.sluice.dev": connection refused'
  // By itself nothing is tried again before that.
  const seconds = 60
  const headers = { 'retry-after': String(seconds) }
  const away = { type: 'answer', status: 500, headers, body: { kind: 'Status', message } } as const
  const asksWebhook = ({ verb, resource }: ProxiedRequest) =>
    `${verb} ${resource}` === 'patch deployments' || `${verb} ${resource}` === 'create leases'
  proxy.fault = request => (asksWebhook(request) ? away : undefined)
  const since = stopwatch()
  await story.approve()
  await until('nobody notices', async () => (await reached()) === 0)
  proxy.fault = () => undefined
  await story.reached(2)
  expect(since()).toBeLessThan(seconds * 1000)
})

/** A controller whose requests may fail, and a release at its first step. */
async function besideProxy() {
  await world.sluice.controller.stop()
  const proxy = await startFaultProxy(world.cluster.kubeconfig)
  onTestFinished(() => proxy.stop())
  const child = await world.sluice.startController([`--kubeconfig=${proxy.kubeconfig}`])
  onTestFinished(() => child.stop())
  const story = await world.story()
  await story.edit('app:2')
  await story.reached(1)
  return { proxy, child, story }
}

/** Holds the first request of a kind back until something has happened. */
function once(
  is: (request: ProxiedRequest) => boolean,
  meanwhile: () => Promise<unknown>,
): (request: ProxiedRequest) => Fault | undefined {
  let met = false
  return request => {
    if (met || !is(request)) return undefined
    met = true
    return { type: 'wait', meanwhile }
  }
}
