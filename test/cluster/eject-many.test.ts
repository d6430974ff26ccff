// Leaving with many workloads and nobody of ours alive: some at a time, and who cannot be given back keeps
// none of the others.

import { expect, inject, onTestFinished, test } from 'vitest'

import type { KubeObject } from '#api/kubernetes.ts'
import { ARMED_MIN_READY_SECONDS, STABLE_REVISION, WORKLOAD_TYPE } from '#api/names.ts'
import { adapters } from '#core/workload/registry.ts'
import { KubeClient } from '#kube/client.ts'
import { fromKubeconfig } from '#kube/kubeconfig.ts'
import { DEPLOYMENTS } from '#kube/resources.ts'
import { eject } from '../../cli/eject.ts'
import { workloadOf } from './manifests.ts'
import { newNamespace } from './reflections.ts'

/** Counts the writes that are under way together. */
class CountingClient extends KubeClient {
  most = 0
  #now = 0

  override async mergePatch<T extends KubeObject>(
    ...args: Parameters<KubeClient['mergePatch']>
  ): Promise<T> {
    this.#now += 1
    this.most = Math.max(this.most, this.#now)
    try {
      return (await super.mergePatch<KubeObject>(...args)) as T
    } finally {
      this.#now -= 1
    }
  }
}

test('of many workloads some are given back at a time, and one that fails keeps nobody', async () => {
  const client = new CountingClient(await fromKubeconfig(inject('cluster').kubeconfig))
  onTestFinished(() => client.close())
  const namespace = await newNamespace(client)
  const numbers = Array.from({ length: 12 }, (_, i) => String(i + 10))
  // The first that comes is one whose owner nobody remembers.
  const lost = { minReadySeconds: ARMED_MIN_READY_SECONDS }
  await Promise.all(
    numbers.map(async number => {
      const made = workloadOf(namespace, {
        replicas: 0,
        labels: { [WORKLOAD_TYPE]: 'deployment', [STABLE_REVISION]: 'one' },
        spec: number === '10' ? { ...lost, progressDeadlineSeconds: 2147483647 } : {},
      })
      await client.create(DEPLOYMENTS, {
        ...made,
        metadata: { ...made.metadata, name: `w${number}` },
      })
    }),
  )

  const said: string[] = []
  const failed: string[] = []
  const say = {
    print: (line: string) => void said.push(line),
    complain: (line: string) => void failed.push(line),
  }
  const how = { adapters, dryRun: false, keepRollouts: true, withAborted: false }
  expect(await eject(client, { namespace, ...how }, say)).toBe(false)
  expect(failed).toEqual([
    expect.stringMatching(/w10: not given back: what its owner wants is lost/),
  ])
  expect(said).toEqual([
    'giving back 12 workloads',
    ...numbers.slice(1).map(number => {
      return `${namespace}/deployment/w${number}: no release was running; given back, no pod moves`
    }),
  ])
  expect(client.most).toBeGreaterThan(1)
  expect(client.most).toBeLessThanOrEqual(5)
  const { items } = await client.listAll(DEPLOYMENTS, { namespace, labelSelector: WORKLOAD_TYPE })
  expect(items.map(({ metadata }) => metadata.name)).toEqual(['w10'])
})
