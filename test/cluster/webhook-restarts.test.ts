// Webhook replicas come and go while edits come in at a steady rate: none is refused while they are
// restarted one by one, and none is ever let out unheld, also when they are killed. EDITS sets how many.

import { afterAll, beforeAll, expect, inject, onTestFinished, test } from 'vitest'

import type { Deployment } from '#api/kubernetes.ts'
import { HOLD } from '#api/names.ts'
import { holdOf } from '#core/workload/hold.ts'
import { KubeClient } from '#kube/client.ts'
import { fromKubeconfig } from '#kube/kubeconfig.ts'
import { DEPLOYMENTS } from '#kube/resources.ts'
import { startChild } from '../../dev/child.ts'
import type { Child } from '../../dev/child.ts'
import { applyCustomResources } from '../../dev/sluice.ts'
import { WORKLOAD } from './manifests.ts'
import { eventually } from './eventually.ts'
import { newNamespace } from './reflections.ts'
import { createFrozen, register, startBalancer } from './webhook-replicas.ts'
import type { Balancer, Endpoint } from './webhook-replicas.ts'

const edits = Number(process.env['EDITS'] ?? 300)
const everyMs = 50
/** A machine that falls behind gets the next edit later: what is tried is a restart, not its speed. */
const atOnce = 10
const name = `restarted-${Math.random().toString(36).slice(2, 8)}`
const patient = { timeout: 600_000 }

let client: KubeClient
beforeAll(async () => {
  client = new KubeClient(await fromKubeconfig(inject('cluster').kubeconfig))
  await applyCustomResources(client)
})
afterAll(() => client?.close())

/** A webhook process behind the balancer. */
interface Replica extends Endpoint {
  readonly child: Child
}

async function startReplica(namespace: string): Promise<Replica> {
  const child = await startChild({
    program: 'webhook',
    args: [
      `--kubeconfig=${inject('cluster').kubeconfig}`,
      `--namespace=${namespace}`,
      `--configuration=${name}`,
      '--certificate-secret=certificates',
      '--hosts=127.0.0.1',
      '--host=127.0.0.1',
      '--port=0',
      '--probes-host=127.0.0.1',
      '--probes-port=0',
      '--drain-seconds=2',
      '--log-level=warn',
    ],
    onLine: () => {},
  })
  onTestFinished(() => child.stop())
  return { child, port: Number(child.ready['port']) }
}

/** As a kubelet and a Service do it: whoever is to end gets no new connections from then on. */
async function retire({ replicas }: Balancer<Replica>, replica: Replica): Promise<void> {
  replicas.splice(replicas.indexOf(replica), 1)
  await replica.child.stop()
}

/** Edits that were let out, and those that were refused. */
interface Load {
  readonly unheld: string[]
  readonly refused: string[]
  /** Fulfilled when so many edits more have been answered. */
  readonly past: (more: number) => Promise<void>
  readonly end: () => Promise<number>
}

function startLoad(namespaces: readonly string[]): Load {
  const unheld: string[] = []
  const refused: string[] = []
  const under = new Set<Promise<void>>()
  let sent = 0
  let answered = 0
  const edit = async (number: number) => {
    const namespace = namespaces[number % namespaces.length]!
    const annotations = { edit: String(number) }
    const patch = { spec: { template: { metadata: { annotations } } } }
    const ref = { namespace, name: WORKLOAD }
    try {
      const stored: Deployment = await client.mergePatch(DEPLOYMENTS, ref, patch)
      const text = stored.metadata.annotations?.[HOLD] ?? 'no hold'
      if (holdOf(stored)?.mode !== 'stop' || !stored.spec.paused) unheld.push(`${number}: ${text}`)
    } catch (error) {
      refused.push(`${number}: ${String(error)}`)
    }
    answered += 1
  }
  const timer = setInterval(() => {
    if (under.size === atOnce) return
    sent += 1
    const one = edit(sent).finally(() => under.delete(one))
    under.add(one)
  }, everyMs)
  return {
    unheld,
    refused,
    async past(more) {
      const wanted = answered + more
      await eventually(() => expect(answered).toBeGreaterThan(wanted))
    },
    async end() {
      clearInterval(timer)
      await Promise.all(under)
      return sent
    },
  }
}

test('no edit is unheld, and none is refused while replicas restart', patient, async () => {
  const namespaces = await Promise.all([1, 2, 3, 4, 5].map(() => newNamespace(client)))
  const home = namespaces[0]!
  const balancer = await startBalancer<Replica>()
  balancer.replicas.push(await startReplica(home), await startReplica(home))
  const url = `https://127.0.0.1:${balancer.port}`
  const caBundle = String(balancer.replicas[0]!.child.ready['caBundle'])
  await register(client, { name, url, caBundle, namespaces })
  for (const namespace of namespaces) await createFrozen(client, namespace)
  await eventually(async () => {
    const probe = startLoad(namespaces)
    await probe.past(namespaces.length)
    await probe.end()
    expect([...probe.unheld, ...probe.refused]).toEqual([])
  })

  const load = startLoad(namespaces)
  const restarts = 6
  for (let restart = 0; restart < restarts; restart++) {
    await load.past(edits / restarts / 2)
    const [old] = balancer.replicas
    balancer.replicas.push(await startReplica(home))
    await retire(balancer, old!)
  }
  const answered = await load.end()
  expect(answered).toBeGreaterThan(edits / 2)
  expect([...load.refused, ...load.unheld]).toEqual([])

  const harder = startLoad(namespaces)
  // Most kills meet no edit: without one that does the test shows nothing.
  for (let kill = 0; kill < 2 || harder.refused.length === 0; kill++) {
    await harder.past(edits / 8)
    await balancer.replicas[0]!.child.stop('SIGKILL')
    await harder.past(3)
    // Found dead.
    balancer.replicas.shift()
    balancer.replicas.push(await startReplica(home))
  }
  await harder.past(edits / 8)
  await harder.end()
  expect(harder.unheld).toEqual([])
})
