// What may become of a write although nothing is wrong with it: somebody else has just written the same
// object, or the API server has no time for it.

import type { KubeObject } from '#api/kubernetes.ts'
import { DEPLOYMENTS, PODS, REPLICA_SETS, ROLLOUTS } from '#kube/resources.ts'
import type { ResourceType } from '#kube/resources.ts'
import type { Fault } from './fault-proxy.ts'
import type { ProxiedRequest } from './proxied-request.ts'
import type { Disturbance, Run } from './release-run.ts'

const types: Readonly<Record<string, ResourceType>> = {
  deployments: DEPLOYMENTS,
  replicasets: REPLICA_SETS,
  pods: PODS,
  rollouts: ROLLOUTS,
}

/** Before each write of ours so many attempts meet an object that somebody else has just written. */
export function conflicts(attempts: number): (run: Run) => Disturbance {
  return ({ stage, writeOf }) => {
    const made = new Map<string, number>()
    let times = 0
    const churn = async ({ resource, namespace = '', name = '' }: ProxiedRequest) => {
      const labels = { churn: String(times) }
      await stage.client.mergePatch(types[resource]!, { namespace, name }, { metadata: { labels } })
    }
    return {
      times: () => times,
      fault(request) {
        const { resource, name = '' } = request
        if (writeOf(request) === undefined || !types[resource]) return undefined
        const key = `${resource}/${name}`
        const before = made.get(key) ?? 0
        made.set(key, before < attempts ? before + 1 : 0)
        if (before === attempts) return undefined
        times += 1
        return { type: 'wait', meanwhile: churn }
      },
    }
  }
}

/** How an API server refuses what it could do another time. */
export const refusals: Readonly<Record<string, Fault>> = {
  '429': { type: 'answer', status: 429, headers: { 'retry-after': '1' }, body: 'busy' },
  '500': { type: 'answer', status: 500, body: statusOf(500, 'InternalError') },
  '503': { type: 'answer', status: 503, body: statusOf(503, 'ServiceUnavailable') },
  '504': { type: 'answer', status: 504, body: statusOf(504, 'Timeout') },
}

function statusOf(code: number, reason: string): object {
  return { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason }
}

/** Every other attempt to write an object of the kind is refused, so many times in all. */
export function refusedWrites(kind: string, refusal: Fault, most = 6): (run: Run) => Disturbance {
  return ({ writeOf }) => {
    const refused = new Set<string>()
    let times = 0
    return {
      times: () => times,
      fault(request) {
        const { resource } = request
        if (resource !== kind || writeOf(request) === undefined) return undefined
        const key = request.name ?? (JSON.parse(request.body) as KubeObject).metadata.name
        if (refused.delete(key) || times === most) return undefined
        refused.add(key)
        times += 1
        return refusal
      },
    }
  }
}
