// Two controllers and one Lease. Whatever happens to the leader in the middle of its work, the other
// goes on, and the audit log has no accepted write of anybody who did not lead.

import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'

import type { Rollout } from '#api/rollout.generated.ts'
import { DEPLOYMENTS, LEASES, NAMESPACES, ROLLOUTS } from '#kube/resources.ts'
import type { ResourceType } from '#kube/resources.ts'
import type { Child } from '../../dev/child.ts'
import { until } from '../../dev/until.ts'
import { startFaultProxy } from './fault-proxy.ts'
import type { FaultProxy } from './fault-proxy.ts'
import { workloadOf, rolloutOf, WORKLOAD } from './manifests.ts'
import { readTerms } from './terms.ts'
import type { Terms } from './terms.ts'
import { startWorld } from './world.ts'
import type { World } from './world.ts'

const size = 8
const namespaces = Array.from({ length: size }, (_, index) => `fleet-${index}`)
const lease = { namespace: 'default', name: 'two-controllers' }
const steps = ['25%', '50%', '75%', '100%'].map(replicas => ({ replicas, pause: { duration: 0 } }))

let world: World
/** Before each of the two controllers one. */
let proxy: FaultProxy
let secondProxy: FaultProxy
let version = 1
beforeAll(async () => {
  world = await startWorld()
  await world.sluice.controller.stop()
  proxy = await startFaultProxy(world.cluster.kubeconfig, { streams: true })
  secondProxy = await startFaultProxy(world.cluster.kubeconfig, { streams: true })
  for (const namespace of namespaces) {
    const { client } = world
    const metadata = { name: namespace }
    await client.create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata })
    await client.create(DEPLOYMENTS, workloadOf(namespace, { replicas: 8 }))
    await client.create(ROLLOUTS as ResourceType, rolloutOf(namespace, { steps }))
  }
})
afterAll(async () => {
  await proxy?.stop()
  await secondProxy?.stop()
  await world?.stop()
})
/** A controller that leads, and one that waits. */
interface Pair {
  readonly leader: Child
  readonly leading: string
  readonly second: Child
}

/** Who leads must not lose it because the machine stands still for a moment. */
const leaseSeconds = 8

const running: Child[] = []
afterEach(async () => {
  proxy.fault = secondProxy.fault = () => undefined
  // The follower first: nobody has to wait for a Lease to run out.
  const held = await holder()
  const byRank = running.toSorted((a, b) => Number(leads(a, held)) - Number(leads(b, held)))
  for (const child of byRank) await child.stop()
  running.length = 0
})

/** Starts two controllers; everything is at rest then. */
async function pair(seconds = leaseSeconds): Promise<Pair> {
  const start = async (...flags: readonly string[]) => {
    const own = [`--lease-name=${lease.name}`, `--lease-seconds=${seconds}`, ...flags]
    const child = await world.sluice.startController(own)
    running.push(child)
    return child
  }
  const leader = await start(`--kubeconfig=${proxy.kubeconfig}`)
  const leading = await led(leader)
  const second = await start(`--kubeconfig=${secondProxy.kubeconfig}`)
  await everyone('Healthy')
  return { leader, leading, second }
}

/** Edits all workloads at once: a burst of writes begins. */
async function edit(): Promise<string> {
  version += 1
  const image = `app:${version}`
  const template = { spec: { containers: [{ name: 'app', image }] } }
  const edits = namespaces.map(namespace =>
    world.client.strategicPatch(DEPLOYMENTS, { namespace, name: WORKLOAD }, { spec: { template } }),
  )
  await Promise.all(edits)
  return image
}

/** Calls back in the moment when the leader's n-th write from now on arrives. */
function atWrite(n: number, act: () => void): void {
  const before = proxy.writes()
  proxy.fault = ({ write }) => {
    if (write === before + n) act()
    return undefined
  }
}

async function holder(): Promise<string> {
  const found = await world.client.get(LEASES, lease).catch(() => undefined)
  return found?.spec?.holderIdentity ?? ''
}

function leads({ pid }: Child, identity: string): boolean {
  return identity.includes(`-${pid}-`)
}

/** Gives the identity of the process, once it leads. */
async function led(child: Child): Promise<string> {
  await eventually(`${child.pid} leads`, async () => leads(child, await holder()))
  return holder()
}

/**
 * The second controller writes once, and the rest of its writes waits: whatever the first one still
 * sends then meets objects that nobody has touched since it read them.
 */
function slowSecond(rest: Promise<unknown>): { readonly wrote: Promise<unknown> } {
  const first = secondProxy.writes() + 1
  const wrote = new Promise<void>(resolve => {
    secondProxy.fault = ({ write }) => {
      if (write === undefined) return undefined
      if (write > first) return { type: 'wait', meanwhile: () => rest }
      resolve()
      return undefined
    }
  })
  return { wrote }
}

async function everyone(phase: string, image?: string): Promise<void> {
  await eventually(`all are ${phase}`, async () => {
    const { client } = world
    const { items } = await client.listAll(ROLLOUTS as ResourceType<Rollout>)
    const stand = items.filter(
      ({ metadata, status }) =>
        status?.phase === phase && status.observedGeneration === metadata.generation,
    )
    if (stand.length < size || image === undefined) return stand.length >= size
    const deployments = await client.listAll(DEPLOYMENTS)
    return deployments.items.every(
      ({ metadata, spec, status }) =>
        JSON.stringify(spec.template).includes(`"${image}"`) &&
        status?.observedGeneration === metadata.generation &&
        status?.updatedReplicas === 8,
    )
  })
}

/** Everybody gets where they were going, and nobody wrote out of turn. By default all who led wrote. */
async function proven(
  image: string,
  identities: readonly string[],
  writers = identities,
): Promise<Terms> {
  await everyone('Healthy', image)
  const found = await readTerms(world.cluster.auditLog, [...new Set(identities)])
  expect(found.trespasses).toEqual([])
  expect(found.terms.map(({ by }) => by)).toEqual(identities)
  for (const identity of writers) {
    expect(found.writes.filter(({ by }) => by === identity).length, identity).toBeGreaterThan(0)
  }
  return found
}

function eventually(what: string, fact: () => Promise<boolean>): Promise<void> {
  return until(`expected that ${what}`, fact, 120_000)
}

/** Waits for news of a Lease in the log, from now on. */
function hears(what: string): () => Promise<void> {
  const from = world.log.length
  return () =>
    eventually(`a controller says ${what}`, async () =>
      world.log.slice(from).some(line => line.includes(`"what":"${what}"`)),
    )
}

test('the leader is killed in the middle of its writes: the other goes on within the lease', async () => {
  const { leader, leading, second } = await pair()
  atWrite(12, () => void leader.stop('SIGKILL'))
  const image = await edit()
  await leader.ended
  const { terms } = await proven(image, [leading, await led(second)])
  const [first, next] = terms
  // The follower sees a renewal, and the end of the lease, one attempt later at most;
  // the rest is for a busy machine.
  const attempt = (leaseSeconds * 2) / 15
  expect(next!.from - first!.renewed).toBeLessThan(1e6 * (leaseSeconds + 2 * attempt + 6))
})

test('a leader that is asked to end finishes its writes and hands over at once', async () => {
  const seconds = 30
  const { leader, leading, second } = await pair(seconds)
  const released = hears('released')
  atWrite(12, () => void leader.stop('SIGTERM'))
  const image = await edit()
  await released()
  expect(await leader.ended).toBe(0)
  const { terms } = await proven(image, [leading, await led(second)])
  const [first, next] = terms
  expect(next!.from - first!.renewed).toBeLessThan(0.5e6 * seconds)
})

test.each([1, 9, 30])(
  'a leader that sleeps past its lease from write %i on wakes up and writes nothing',
  async n => {
    const { leader, leading, second } = await pair()
    const awake = signal()
    const { wrote } = slowSecond(awake.given)
    atWrite(n, () => process.kill(leader.pid, 'SIGSTOP'))
    const image = await edit()
    await wrote
    const follows = hears('following')
    process.kill(leader.pid, 'SIGCONT')
    await follows()
    awake.give()
    const next = await led(second)
    // Its first write may never have been whole.
    await proven(image, [leading, next], n === 1 ? [next] : [leading, next])
  },
)

test('a leader that is cut off writes nothing, also when what it sent arrives afterwards', async () => {
  const { leader, leading, second } = await pair()
  const healed = signal()
  const over = signal()
  const { wrote } = slowSecond(over.given)
  atWrite(9, () => {
    for (const exchange of proxy.open()) exchange.freeze()
    proxy.fault = () => ({ type: 'wait', meanwhile: () => healed.given })
  })
  const image = await edit()
  await wrote
  const follows = hears('following')
  proxy.fault = () => undefined
  healed.give()
  for (const exchange of proxy.open()) exchange.thaw()
  await follows()
  over.give()
  const next = await led(second)
  await proven(image, [leading, next])

  // It has come to no harm: it leads again when it has to.
  await second.stop('SIGKILL')
  await led(leader)
  await proven(await edit(), [leading, next, leading])
})

/** Something that is waited for, and given once. */
function signal(): { readonly given: Promise<void>; readonly give: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>()
  return { given: promise, give: resolve }
}
