// Reads Deployments with what they own, and the Rollouts that name them.

import type { Deployment, ReplicaSet } from '#api/kubernetes.ts'
import type { Rollout } from '#api/rollout.generated.ts'
import { defined } from '#core/defined.ts'
import { keyOf, workloadKey } from '#core/rollout/key.ts'
import { isAlive } from '#core/rollout/parse.ts'
import { controllerUid } from '#core/workload/seen.ts'
import type { KubeClient } from '#kube/client.ts'
import { NotFound } from '#kube/errors.ts'
import { DEPLOYMENTS, REPLICA_SETS, ROLLOUTS } from '#kube/resources.ts'
import type { ResourceType } from '#kube/resources.ts'
import type { Stand } from './ejection.ts'

/** The key by which a Rollout names the Deployment. */
function keyOfDeployment({ metadata: { namespace = '', name } }: Deployment): string {
  return keyOf({ apiVersion: 'apps/v1', kind: 'Deployment', namespace, name })
}

/** Every Deployment of a namespace, or of all, in order of their names. */
export async function readStands(
  client: KubeClient,
  namespace: string | undefined,
): Promise<readonly Stand[]> {
  const scope = defined({ namespace })
  const deployments = (await client.listAll(DEPLOYMENTS, scope)).items
  const owned = new Map<string, ReplicaSet[]>()
  for (const set of (await client.listAll(REPLICA_SETS, scope)).items) {
    const uid = controllerUid(set)
    owned.set(uid, [...(owned.get(uid) ?? []), set])
  }
  return deployments
    .map(deployment => ({ deployment, sets: owned.get(deployment.metadata.uid ?? '') ?? [] }))
    .toSorted((a, b) => (keyOfDeployment(a.deployment) < keyOfDeployment(b.deployment) ? -1 : 1))
}

/** One Deployment. Throws `NotFound`. */
export async function readStand(
  client: KubeClient,
  ref: { readonly namespace: string; readonly name: string },
): Promise<Stand> {
  const deployment = await client.get(DEPLOYMENTS, ref)
  const { matchLabels } = deployment.spec.selector as { matchLabels?: Record<string, string> }
  const pairs = Object.entries({ ...matchLabels }).map(pair => pair.join('='))
  const scope = { namespace: ref.namespace, labelSelector: pairs.join(',') }
  const { items } = await client.listAll(REPLICA_SETS, scope)
  return { deployment, sets: items.filter(set => controllerUid(set) === deployment.metadata.uid) }
}

/** The Rollouts of a namespace, or of all, that are not being deleted; undefined: no such kind. */
export async function readRollouts(
  client: KubeClient,
  namespace: string | undefined,
): Promise<readonly Rollout[] | undefined> {
  try {
    const type = ROLLOUTS as ResourceType<Rollout>
    return (await client.listAll(type, defined({ namespace }))).items.filter(isAlive)
  } catch (error) {
    if (error instanceof NotFound) return undefined
    throw error
  }
}

/** The Rollout that names the Deployment; an enabled one goes first, since it guards. */
export function rolloutFor(
  deployment: Deployment,
  rollouts: readonly Rollout[] = [],
): Rollout | undefined {
  const naming = rollouts.filter(rollout => workloadKey(rollout) === keyOfDeployment(deployment))
  return naming.find(({ spec }) => spec.disabled !== true) ?? naming[0]
}
