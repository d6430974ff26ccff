// The nodes on which the pods of one history run: they come and go as its acts have it.

import type { KubeClient } from '#kube/client.ts'
import { makePool } from './kinds/nodes.ts'

/** Nodes of one workload. */
export interface NodesOf {
  /** Fields of the spec of its pods. */
  readonly placement: Readonly<Record<string, unknown>>
  /** Those of them that go where there are to be so many. */
  readonly beyond: (count: number) => readonly string[]
  /** There are to be so many. */
  readonly resize: (count: number) => Promise<void>
}

/** Registers as many nodes. */
export async function nodesOf(client: KubeClient, count: number): Promise<NodesOf> {
  const pool = await makePool(client, count)
  const left = new Set<string>()
  const present = () => pool.names.filter(name => !left.has(name))
  return {
    placement: pool.placement,
    beyond: wanted => present().slice(wanted),
    async resize(wanted) {
      while (present().length < wanted) await pool.add()
      for (const name of present().slice(wanted)) {
        left.add(name)
        await pool.leave(name)
      }
    },
  }
}
