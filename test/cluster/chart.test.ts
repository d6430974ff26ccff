// The chart, installed for real: Helm brings it, the API server stores its pods, and the test plays
// kubelet and kube-proxy for them. Everything of ours then runs under the chart's own roles.
// What needs a real kubelet or a network plugin is proven by rendering alone (chart-values.test.ts).

import {
  afterAll,
  afterEach,
  beforeAll,
  describe,
  expect,
  inject,
  onTestFinished,
  test,
} from 'vitest'

import { KRUISE_WEBHOOKS, ROLLOUT_BATCH_ID, ROLLOUT_ID } from '#api/names.ts'
import type { KubeClient } from '#kube/client.ts'
import {
  CUSTOM_RESOURCES,
  DEPLOYMENTS,
  LEASES,
  MUTATING_WEBHOOKS,
  NAMESPACES,
  ROLLOUTS,
  ROLLOUTS_DEFINITION,
  SECRETS,
  VALIDATING_WEBHOOKS,
} from '#kube/resources.ts'
import type { ResourceType } from '#kube/resources.ts'
import { readConfig as readControllerConfig } from '../../controller/config.ts'
import { controllerRights } from '../../controller/rights.ts'
import type { Child } from '../../dev/child.ts'
import { readConfig as readWebhookConfig } from '../../webhook/config.ts'
import { webhookRights } from '../../webhook/rights.ts'
import { walkTo, walkToTheEnd } from './approvals.ts'
import { startCertManager } from './cert-manager.ts'
import { at, CHART, namespace, startChartPlace } from './chart-place.ts'
import type { ChartPlace } from './chart-place.ts'
import { helm, helm3, kubectl, sluice } from './commands.ts'
import type { ControlPlane } from './control-plane.ts'
import { holdOn } from './deployment-facts.ts'
import { abort, hasCondition, most, stand, told, worst } from './facts.ts'
import { startEdits } from './edits.ts'
import { flagsOf, mountSecrets } from './kubelet.ts'
import { createKruiseRollout } from './kruise.ts'
import type { StoredPod } from './kubelet.ts'
import { workloadOf, rolloutOf, WORKLOAD } from './manifests.ts'
import { asGranted, covers, lacking, requestsOf, rightsInWords, rightsOf } from './rights.ts'
import type { Right } from './rights.ts'
import { settleRights } from './run-rights.ts'
import { scrape } from './scrape.ts'
import { certificateOf } from './served-certificate.ts'
import { createStory } from './story.ts'
import type { Story } from './story.ts'
import { nothingLeft, PLAYED, playJob } from './uninstall-job.ts'
import { createFrozen } from './webhook-replicas.ts'

let place: ChartPlace
let cluster: ControlPlane
let client: KubeClient

beforeAll(async () => {
  place = await startChartPlace()
  ;({ cluster, client } = place)
})
afterAll(() => place?.stop())

/** The webhooks that Helm has brought take the place of those that run. */
async function leadNewest() {
  const before = place.running.splice(0)
  const pods = await place.podsOf('webhook')
  const children = await Promise.all(pods.map(place.start))
  await place.lead(...children)
  await Promise.all(before.map(child => child.stop()))
  return { pods, children }
}

async function bundles(): Promise<readonly string[]> {
  const found = await Promise.all(
    [MUTATING_WEBHOOKS, VALIDATING_WEBHOOKS].map(type => client.get(type, { name: 'sluice' })),
  )
  const { spec } = await client.get(CUSTOM_RESOURCES, { name: ROLLOUTS_DEFINITION })
  const calls = found.flatMap(({ webhooks = [] }) => webhooks.map(each => each.clientConfig))
  return [...calls, spec.conversion?.webhook?.clientConfig].map(call => call?.caBundle ?? '')
}

async function there(type: ResourceType, name: string, inside?: string): Promise<boolean> {
  const { items } = await client.listAll(type, inside === undefined ? {} : { namespace: inside })
  return items.some(({ metadata }) => metadata.name === name)
}

/** Not for kinds of Kruise, which this cluster lacks; that they are used other tests tell. */
function isServed({ resource: what }: Right): boolean {
  return !what.startsWith('apps.kruise.io/')
}

/** The rights that the process of a pod asks for, in words. */
function neededBy(component: string, { spec }: StoredPod): readonly string[] {
  const flags = flagsOf(spec.containers[0]!)
  const env = { POD_NAMESPACE: namespace }
  const rights =
    component === 'webhook'
      ? webhookRights(readWebhookConfig(flags, env))
      : controllerRights(readControllerConfig(flags, env))
  return rightsInWords(asGranted(rights))
}

async function readiness({ ready }: Child): Promise<number> {
  return (await fetch(`http://127.0.0.1:${String(ready['probesPort'])}/readyz`)).status
}

describe.each([
  ['Helm 3', helm3],
  ['Helm 4', helm],
] as const)('%s', (_, run) => {
  afterEach(() => place.stopAll('SIGKILL'))

  test('installs, upgrades without losing trust, and uninstalls all but what is documented', async () => {
    const { stdout } = await run(cluster, ['install', 'sluice', CHART, ...at, '--wait'])
    expect(stdout).toContain('rollout status deployment/sluice-webhook')
    expect(await place.podsOf('controller')).toHaveLength(2)
    const [first] = await place.podsOf('webhook')
    expect(await readiness(await place.start(first!))).toBe(200)
    const trusted = await bundles()
    expect(trusted).toHaveLength(7)
    for (const bundle of trusted) expect(bundle).not.toBe('')

    const changed = ['--set', 'logLevel=debug,webhook.drainSeconds=3,uninstall.giveBack=false']
    await run(cluster, ['upgrade', 'sluice', CHART, ...at, '--wait', ...changed])
    expect(await bundles()).toEqual(trusted)
    const pods = await place.podsOf('webhook')
    expect(pods.map(({ spec }) => spec.containers[0]!.args)).toContainEqual(
      expect.arrayContaining(['--log-level=debug', '--drain-seconds=3']),
    )

    await place.stopAll()
    await run(cluster, ['uninstall', 'sluice', ...at, '--wait'])
    expect(await there(MUTATING_WEBHOOKS, 'sluice')).toBe(false)
    expect(await there(VALIDATING_WEBHOOKS, 'sluice')).toBe(false)
    expect(await there(CUSTOM_RESOURCES, 'rollouts.rollouts.kruise.io')).toBe(true)
    expect(await there(SECRETS, 'sluice-webhook-certificate', namespace)).toBe(true)
    await kubectl(cluster, ['delete', 'secret', 'sluice-webhook-certificate', '-n', namespace])
    await kubectl(cluster, ['delete', 'lease', '--all', '-n', namespace])
  })
})

describe('under the roles of the chart', () => {
  let story: Story
  let webhooks: readonly Child[]

  beforeAll(async () => {
    // While one drains it has to be seen leaving, and an edit be answered.
    const values = ['--set', 'webhook.drainSeconds=8,kruiseRollouts.takeOver=true']
    await helm(cluster, ['install', 'sluice', CHART, ...at, '--wait', ...values])
    const [first, second] = await place.podsOf('webhook')
    const one = await place.start(first!)
    // The second one finds a certificate that it cannot use, and mends it.
    const data = { 'tls.crt': Buffer.from('no certificate').toString('base64') }
    const secret = { namespace, name: 'sluice-webhook-certificate' }
    await client.mergePatch(SECRETS, secret, { data })
    const two = await place.start(second!)
    await place.lead(one, two)
    webhooks = [one, two]
    for (const pod of await place.podsOf('controller')) await place.start(pod)

    const shop = 'shop'
    const metadata = { name: shop }
    await client.create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata })
    story = await createStory({ cluster, client, namespace: shop, log: place.log })
    await story.create(workloadOf(shop, { labels: { [ROLLOUT_ID]: 'two' } }))
    // A Rollout that comes from Kruise Rollouts: to take that off is a right, too.
    await createKruiseRollout(story, rolloutOf(shop, {}))
    await story.phase('Healthy')
  })
  afterAll(() => story?.close())

  test('an edit is held, approved, and completes', async () => {
    const [, , controller] = place.running
    await story.until('the webhook to be reached by its Service', async () => {
      return (await scrape(controller!)).only('sluice_controller_webhook_reached') === 1
    })
    const { stderr } = await story.edit('app:2')
    expect(stderr).toContain('step 1 of 3: 1 of 10 pods')
    await walkTo(story, 2)
    await stand(story, { 'app:1': 5, 'app:2': 5 })
    // Converted by way of the Service that the chart has written into the CRD.
    const older = await story.kubectl(['get', 'rollouts.v1alpha1.rollouts.kruise.io'])
    expect(older.stdout).toContain('StepPaused')
    const { stdout } = await story.kubectl(['get', 'pods', '-l', `${ROLLOUT_BATCH_ID}=2`, '-oname'])
    expect(stdout.trim().split('\n')).toHaveLength(4)
    await walkToTheEnd(story)
    await stand(story, { 'app:1': 0, 'app:2': 10 })
    await told(story, 'ReleaseCompleted')
  })

  test('a release is aborted, and rolled back', async () => {
    await story.edit('app:3')
    await walkTo(story, 2)
    await abort(story)
    await hasCondition(story, 'Stalled', 'Aborted')
    await stand(story, { 'app:2': 10, 'app:3': 0 })
    await story.edit('app:2')
    await story.phase('Healthy')
  })

  test.each([
    ['ledger', 'StatefulSet'],
    ['agents', 'DaemonSet'],
  ] as const)(
    'in %s a %s is released, and a broken version of it goes back',
    async (where, kind) => {
      const metadata = { name: where }
      await client.create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata })
      const made = await createStory({ cluster, client, namespace: where, log: place.log }, kind)
      // As many as there are nodes.
      const replicas = 2
      await made.create(workloadOf(where, { kind, replicas }))
      await made.until('all pods Ready', () => made.now().ready === replicas)
      await made.create(rolloutOf(where, { kind }))
      await made.phase('Healthy')
      await made.edit('app:broken')
      await made.until('a broken pod', () => made.now().wanted['app:broken'] === 1)
      await made.edit('app:1')
      await made.phase('Healthy')
      await stand(made, { 'app:1': replicas })
      made.close()
    },
  )

  test('new pods in a second Deployment come, and go', async () => {
    const beside = 'beside'
    const metadata = { name: beside }
    await client.create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata })
    const made = await createStory({ cluster, client, namespace: beside, log: place.log })
    await made.create(workloadOf(beside, { replicas: 2 }))
    await made.until('all pods Ready', () => made.now().ready === 2)
    await made.create(rolloutOf(beside, { canary: { enableExtraWorkloadForCanary: true } }))
    await made.phase('Healthy')
    await made.edit('app:2')
    await made.reached(1)
    await stand(made, { 'app:1': 2, 'app:2': 1 })
    await made.edit('app:1')
    await made.phase('Healthy')
    await stand(made, { 'app:1': 2, 'app:2': 0 })
    made.close()
  })

  test('a webhook that is told to end says so, and goes on answering', async () => {
    const [leaving, staying] = webhooks
    await place.lead(leaving!)
    const ended = leaving!.stop()
    await story.until('not ready', async () => (await readiness(leaving!)) === 503)
    const { stderr } = await story.edit('app:4')
    expect(stderr).toContain('step 1 of 3')
    await place.lead(staying!)
    await ended
    expect(await leaving!.ended).toBe(0)
    const again = await story.edit('app:5')
    expect(again.stderr).toContain('step 1 of 3')
  })

  test('upgraded in the middle of a release, no pod moves, and the release goes on', async () => {
    await story.reached(1)
    await stand(story, { 'app:2': 9, 'app:5': 1 })
    const held = holdOn(await story.deployment())
    story.forget()
    const values = ['--set', 'webhook.drainSeconds=1,logLevel=debug,kruiseRollouts.takeOver=true']
    const command = ['upgrade', 'sluice', CHART, ...at, '--wait', ...values]
    await replaced(command, args => args.includes('--log-level=debug'))
    expect(holdOn(await story.deployment())).toEqual(held)
    expect(most(story, 'app:5')).toBe(1)
    expect(worst(story).ready).toBe(10)

    await story.approve()
    await story.reached(2)
    await stand(story, { 'app:2': 5, 'app:5': 5 })
  })

  test('taken back to the version before in the middle of a release, no pod moves', async () => {
    const held = holdOn(await story.deployment())
    story.forget()
    const command = ['rollback', 'sluice', '1', ...at, '--wait']
    await replaced(command, args => !args.includes('--log-level=debug'))
    expect(holdOn(await story.deployment())).toEqual(held)
    expect(most(story, 'app:5')).toBe(5)
    expect(worst(story).ready).toBe(10)
  })

  /** Helm changes the installation: the new pods begin, then the old ones end. */
  async function replaced(
    command: readonly string[],
    isNewBy: (args: readonly string[]) => boolean,
  ) {
    const before = place.running.splice(0)
    await helm(cluster, command)
    const isNew = ({ spec }: StoredPod) => isNewBy(spec.containers[0]!.args!)
    const next = (await place.podsOf('webhook')).filter(isNew)
    await place.lead(...(await Promise.all(next.map(place.start))))
    for (const pod of (await place.podsOf('controller')).filter(isNew)) await place.start(pod)
    await Promise.all(before.map(child => child.stop()))
    expect(place.running).toHaveLength(4)
  }

  test.each(['webhook', 'controller'])(
    'the %s has the rights that it uses, and no other',
    async component => {
      const account = { namespace, name: `sluice-${component}` }
      const rights = await rightsOf(client, account)
      const requests = await requestsOf(cluster.auditLog, account)
      expect(rights.length).toBeGreaterThan(5)
      const settled = { client, auditLog: cluster.auditLog, folder: inject('rights') }
      expect(await settleRights(settled, account)).toEqual([])
      const unused = rights.filter(
        right => isServed(right) && !requests.some(request => covers(right, request)),
      )
      expect(unused).toEqual([])
      // What it asks for at its start, to say what is missing.
      const [pod] = await place.podsOf(component)
      const needed = neededBy(component, pod!)
      expect(needed).toEqual(rightsInWords(rights))
    },
  )

  test('both together have few rights, and none that reaches far', async () => {
    const all = await Promise.all(
      ['sluice-webhook', 'sluice-controller'].map(name => rightsOf(client, { namespace, name })),
    )
    const rights = all.flat()
    const triples = new Set(rights.map(({ resource: what, verb }) => `${verb} ${what}`))
    expect(triples.size).toBeLessThanOrEqual(100)
    expect(JSON.stringify(rights)).not.toContain('*')
    const far = rights.filter(right => right.namespace === undefined)
    expect(far.filter(right => /secrets|configmaps|leases/.test(right.resource))).toEqual([])
    const registrations = rights.filter(right => right.resource.includes('webhookconfigurations'))
    expect(new Set(registrations.map(({ name }) => name))).toEqual(
      new Set(['sluice', KRUISE_WEBHOOKS]),
    )
    const kept = rights.filter(({ verb, resource: what }) => {
      return verb !== 'create' && /secrets|leases/.test(what)
    })
    expect(kept.filter(({ name }) => name === undefined)).toEqual([])
  })

  test('uninstalled in the middle of a release without giving back, every pod serves on', async () => {
    const { spec } = await story.deployment()
    story.forget()
    const values = ['--reuse-values', '--set', 'uninstall.giveBack=false']
    await helm(cluster, ['upgrade', 'sluice', CHART, ...at, ...values])
    await place.stopAll()
    await helm(cluster, ['uninstall', 'sluice', ...at, '--wait'])
    expect((await story.deployment()).spec).toEqual(spec)
    expect(await there(ROLLOUTS, 'web-rollout', story.namespace)).toBe(true)
    expect(await there(LEASES, 'sluice-controller', namespace)).toBe(true)
    // The commands of docs/install.md: with nobody of ours alive, and all Rollouts still there.
    const everything = ['eject', '--all-namespaces', '--keep-rollouts']
    const { stdout } = await sluice(cluster, everything)
    const idle = 'no release was running; given back, no pod moves'
    expect(stdout.trim().split('\n')).toEqual([
      'giving back 4 workloads',
      `agents/daemonset/web: ${idle}`,
      `beside/deployment/web: ${idle}`,
      `ledger/statefulset/web: ${idle}`,
      expect.stringMatching(
        /^shop\/deployment\/web: release .*; given back, the other 5 become new now/,
      ),
    ])
    await stand(story, { 'app:2': 0, 'app:5': 10 })
    expect(Math.min(...story.history().map(({ ready }) => ready))).toBeGreaterThanOrEqual(8)
    expect((await sluice(cluster, everything)).stdout).toMatch(/^nothing of Sluice is on any/)
    await kubectl(cluster, ['delete', 'secret', 'sluice-webhook-certificate', ...at])
    await kubectl(cluster, ['delete', 'lease', 'sluice-controller', ...at])
  })

  test('in named namespaces alone, it guards those, and asks for no other', async () => {
    const names = ['--set', `namespaces={orders,stock,fleet},webhook.drainSeconds=0,${PLAYED}`]
    for (const name of ['orders', 'stock', 'fleet', 'other']) {
      const metadata = { name }
      await client.create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata })
    }
    const accounts = ['sluice-webhook', 'sluice-controller'].map(name => ({ namespace, name }))
    const requests = () =>
      Promise.all(accounts.map(account => requestsOf(cluster.auditLog, account)))
    const before = await requests()
    await helm3(cluster, ['install', 'sluice', CHART, ...at, '--wait', ...names])
    const [webhook] = await place.podsOf('webhook')
    await place.lead(await place.start(webhook!))
    const [controller] = await place.podsOf('controller')
    await place.start(controller!)
    const kindsIn: Readonly<Record<string, 'StatefulSet' | 'DaemonSet'>> = {
      stock: 'StatefulSet',
      fleet: 'DaemonSet',
    }
    const stories = await Promise.all(
      ['orders', 'stock', 'fleet', 'other'].map(async where => {
        const kind = kindsIn[where] ?? 'Deployment'
        const made = await createStory({ cluster, client, namespace: where, log: place.log }, kind)
        await made.create(workloadOf(where, { kind, replicas: 4 }))
        // It says nothing of other kinds.
        const canary = { enableExtraWorkloadForCanary: true }
        await made.create(rolloutOf(where, { kind, canary }))
        return made
      }),
    )
    const [orders, stock, fleet, other] = stories as [Story, Story, Story, Story]
    for (const guarded of [orders, stock, fleet]) {
      await guarded.phase('Healthy')
      expect((await guarded.edit('app:2')).stderr).toContain('step 1 of 3')
      await guarded.reached(1)
    }
    await stand(orders, { 'app:1': 4, 'app:2': 1 })
    await stand(stock, { 'app:1': 3, 'app:2': 1 })
    // As many as there are nodes.
    await stand(fleet, { 'app:1': 1, 'app:2': 1 })
    expect((await other.edit('app:2')).stderr).toBe('')
    await stand(other, { 'app:1': 0, 'app:2': 4 })
    expect((await other.rollout()).status).toBeUndefined()

    const asked = (await requests()).map((each, i) => each.slice(before[i]!.length))
    const rights = await Promise.all(accounts.map(account => rightsOf(client, account)))
    expect(asked.map((each, i) => lacking(rights[i]!, each))).toEqual([[], []])
    const workloads = asked.flat().filter(({ resource: what }) => /^(apps|rollouts|\/)/.test(what))
    expect(new Set(workloads.map(each => each.namespace))).toEqual(
      new Set(['orders', 'stock', 'fleet', namespace]),
    )

    // With nobody of ours alive, it is uninstalled: what was in a release is given back, there and nowhere else.
    await place.stopAll()
    await kubectl(cluster, ['delete', 'lease', 'sluice-controller', ...at])
    const uninstall = ['uninstall', 'sluice', ...at, '--wait']
    const [played] = await Promise.all([playJob(place), helm3(cluster, uninstall)])
    expect(played.said).toHaveLength(3)
    for (const guarded of [orders, stock]) await stand(guarded, { 'app:1': 0, 'app:2': 4 })
    await stand(fleet, { 'app:1': 0, 'app:2': 2 })
    expect(rightsInWords(asGranted(played.needed))).toEqual(rightsInWords(played.rights))
    expect(JSON.stringify(played.rights)).not.toContain('*')
    expect(played.requests.filter(({ code }) => code === 403)).toEqual([])
    // Each namespace has one kind of workload, and the rules are the same in all.
    const isUsed = (right: Right) =>
      played.requests.some(it => covers({ ...right, namespace: it.namespace }, it))
    const unused = played.rights.filter(right => isServed(right) && !isUsed(right))
    // It waits only where the controller-manager is slower than it.
    expect(unused.filter(({ verb }) => verb !== 'watch')).toEqual([])
    await nothingLeft(place)
    for (const each of stories) each.close()
  })

  test('with cert-manager it serves what is mounted, has few rights, and loses no edit', async () => {
    const home = { namespace, name: 'sluice-webhook' }
    const manager = await startCertManager(client, home)
    const own = ['--set', 'webhook.drainSeconds=0']
    const mounted = [...own, '--set', 'certificates.certManager.enabled=true']
    await helm(cluster, ['install', 'sluice', CHART, ...at, '--wait', ...own])
    await leadNewest()
    const names = ['mounted-1', 'mounted-2']
    for (const name of names) {
      const metadata = { name }
      await client.create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata })
      await createFrozen(client, name)
    }
    const edits = startEdits(client, names)
    onTestFinished(() => edits.end())
    await edits.goOn('a certificate of its own')

    // From one to the other: the policy holds what comes while the API server trusts neither.
    await helm(cluster, ['upgrade', 'sluice', CHART, ...at, '--wait', ...mounted])
    await manager.issue()
    await edits.goOn('cert-manager is trusted, and nobody serves its certificate')
    const { pods, children } = await leadNewest()
    await edits.goOn('its certificate')
    // Those before had other rights, and have lost them by the upgrade.
    const before = (await requestsOf(cluster.auditLog, home)).length
    const rights = await rightsOf(client, home)
    expect(neededBy('webhook', pods[0]!)).toEqual(rightsInWords(rights))
    expect(rights).toHaveLength(12)

    await kubectl(cluster, ['-n', names[0]!, 'get', 'rollouts.v1alpha1.rollouts.kruise.io'])
    const served = () => Promise.all(children.map(certificateOf))
    const seen = new Set(await served())
    for (const round of ['first', 'second', 'third']) {
      await manager.issue()
      await edits.goOn(`the ${round} before the kubelet has it`)
      for (const pod of pods) await mountSecrets(place, pod)
      await story.until('another certificate', async () =>
        (await served()).every(each => !seen.has(each)),
      )
      for (const each of await served()) seen.add(each)
      await edits.goOn(`the ${round}`)
    }

    const requests = (await requestsOf(cluster.auditLog, home)).slice(before)
    expect(lacking(rights, requests)).toEqual([])
    await helm(cluster, ['upgrade', 'sluice', CHART, ...at, '--wait', ...own])
    await edits.goOn('back again, before its own is served')
    await leadNewest()
    await edits.goOn('its own again')
    await edits.end()
    expect(edits.trouble).toEqual([])
    expect(edits.held()).toBe(edits.sent())
    expect(seen.size).toBe(4)
    await place.stopAll()
    await helm(cluster, ['uninstall', 'sluice', ...at, '--wait', '--no-hooks'])
  })

  test('with crds.keep=false the CRD goes as well', async () => {
    const values = ['--set', 'crds.keep=false,uninstall.giveBack=false']
    await helm(cluster, ['install', 'sluice', CHART, ...at, ...values])
    await helm(cluster, ['uninstall', 'sluice', ...at])
    await story.until(
      'no CRD',
      async () => !(await there(CUSTOM_RESOURCES, 'rollouts.rollouts.kruise.io')),
    )
    expect(await there(DEPLOYMENTS, WORKLOAD, story.namespace)).toBe(true)
  })
})
