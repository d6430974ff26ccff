// What Kruise Rollouts has left in a namespace: workloads in its hold, whichever their kind, and objects
// whose finalizers nobody takes off any more. They are named, each with the command that helps; nothing is
// written.

import type { KubeObject } from '#api/kubernetes.ts'
import { CANARY_DEPLOYMENT, GROUP, KRUISE_CANARY_FINALIZER } from '#api/names.ts'
import { targetOf } from '#core/commands.ts'
import { leftInWords } from '#core/rollout/events.ts'
import type { WorkloadAdapter } from '#core/workload/adapter.ts'
import { holdOf } from '#core/workload/hold.ts'
import { adapters, heldBy } from '#core/workload/registry.ts'
import type { KubeClient } from '#kube/client.ts'
import { Forbidden, NotFound } from '#kube/errors.ts'
import { DEPLOYMENTS, resource } from '#kube/resources.ts'
import type { ResourceType } from '#kube/resources.ts'
import type { Scope } from '#kube/requests.ts'
import { refOf, resourceOf } from './stands.ts'

const types: readonly ResourceType[] = [
  resource(`${GROUP}/v1beta1`, 'batchreleases', 'BatchRelease'),
  resource(`${GROUP}/v1alpha1`, 'trafficroutings', 'TrafficRouting'),
]

/** One line for everything that is left in the namespace. */
export async function leftovers(client: KubeClient, namespace: string): Promise<readonly string[]> {
  const held = adapters.map(async adapter => {
    const workloads = await readable(client, resourceOf(adapter), { namespace })
    return workloads.flatMap(workload => heldInWords(adapter, workload))
  })
  const kept = types.map(async type => {
    const objects = await readable(client, type, { namespace })
    return objects.filter(({ metadata }) => (metadata.finalizers ?? []).length > 0)
  })
  const lines = await Promise.all(held)
  const lingering = await Promise.all([...kept, seconds(client, namespace)])
  return [...lines.flat(), ...lingering.flat().map(object => lingers(object))]
}

function heldInWords(kind: WorkloadAdapter, workload: KubeObject): readonly string[] {
  const adapter = heldBy(kind, holdOf(workload))
  const { leftHold } = adapter.observe(adapter.see(workload), { replicaSets: [], pods: [] }, 0)
  const ref = refOf(workload)
  return leftHold ? [`${targetOf(ref)}: ${leftInWords(ref, leftHold)}`] : []
}

/** Deployments that it has made beside others for the new pods; ours have no finalizer. */
async function seconds(client: KubeClient, namespace: string): Promise<readonly KubeObject[]> {
  const scope = { namespace, labelSelector: CANARY_DEPLOYMENT }
  const made = await readable(client, DEPLOYMENTS, scope)
  return made.filter(({ metadata }) => metadata.finalizers?.includes(KRUISE_CANARY_FINALIZER))
}

/** None where there is no such kind, or nobody may look. */
async function readable(
  client: KubeClient,
  type: ResourceType,
  scope: Scope,
): Promise<readonly KubeObject[]> {
  try {
    return (await client.listAll(type, scope)).items
  } catch (error) {
    if (error instanceof NotFound || error instanceof Forbidden) return []
    throw error
  }
}

function lingers({ kind, metadata: { namespace, name } }: KubeObject): string {
  const what =
    kind === DEPLOYMENTS.kind ? `deployment ${name}` : `${kind.toLowerCase()}s.${GROUP} ${name}`
  const patch = `kubectl -n ${namespace} patch ${what} --type=merge -p '{"metadata":{"finalizers":null}}'`
  return `${kind} ${name} of Kruise Rollouts has a finalizer, which would keep this namespace from being deleted; where it runs no more: ${patch}`
}
