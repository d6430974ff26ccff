// etcd itself, asked in the JSON form of its gRPC calls.

import { expect } from 'vitest'

import type { ControlPlane } from './control-plane.ts'

/** Asks etcd; keys and values are base64. */
export async function etcd<T>(cluster: ControlPlane, path: string, body: object): Promise<T> {
  const url = `${cluster.etcd}/v3/kv/${path}`
  const answer = await fetch(url, { method: 'POST', body: JSON.stringify(body) })
  expect(answer.status).toBe(200)
  return (await answer.json()) as T
}

/** Makes etcd forget everything before now. */
export async function compact(cluster: ControlPlane): Promise<void> {
  const range = await etcd<{ header: { revision: string } }>(cluster, 'range', { key: 'AA==' })
  await etcd(cluster, 'compaction', { revision: range.header.revision, physical: true })
}
