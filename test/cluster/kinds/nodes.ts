// Nodes of a test's own, which kwok makes Ready: nobody else's pods get onto them.

import type { KubeObject } from '#api/kubernetes.ts'
import type { KubeClient } from '#kube/client.ts'
import { until } from '../../../dev/until.ts'
import { removed } from '../../../dev/removed.ts'
import { NODES } from './resources.ts'

/** Some nodes, and what a pod template needs to get onto them. */
export interface Pool {
  /** In the order of their names. */
  readonly names: readonly string[]
  /** Fields of the spec of a pod. */
  readonly placement: Readonly<Record<string, unknown>>
  /** Registers one more, whose name comes last. */
  readonly add: () => Promise<void>
  /** No pod of the pool is to run on it any more. */
  readonly leave: (name: string) => Promise<void>
  readonly remove: () => Promise<void>
}

/** Registers nodes and waits until pods can run on them. */
export async function makePool(client: KubeClient, count: number): Promise<Pool> {
  const pool = `pool-${Math.random().toString(36).slice(2, 8)}`
  const names: string[] = []
  const add = async () => {
    const name = `${pool}-${names.length}`
    names.push(name)
    const taints = [{ key: 'pool', value: pool, effect: 'NoSchedule' }]
    const labels = { 'kubernetes.io/hostname': name, pool }
    const node = { apiVersion: 'v1', kind: 'Node', metadata: { name, labels }, spec: { taints } }
    await client.create(NODES, node as KubeObject)
    await until(`node ${name} does not get Ready`, () => isReady(client, name))
  }
  await Promise.all(Array.from({ length: count }, add))
  const tolerations = [{ key: 'pool', operator: 'Exists' }]
  return {
    names,
    placement: { nodeSelector: { pool }, tolerations },
    add,
    async leave(name) {
      await client.mergePatch(NODES, { name }, { metadata: { labels: { pool: null } } })
    },
    async remove() {
      await Promise.all(names.map(name => removed(client, NODES, { name })))
    },
  }
}

/** Ready, and the taint of the time before is gone. */
async function isReady(client: KubeClient, name: string): Promise<boolean> {
  return (await client.get(NODES, { name })).spec?.taints?.length === 1
}
