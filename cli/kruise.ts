// What Kruise Rollouts has left beside a Deployment: its hold, and objects whose finalizers nobody takes
// off any more. They are named, each with the command that helps; nothing is written.

import type { Deployment, KubeObject } from '#api/kubernetes.ts'
import { GROUP } from '#api/names.ts'
import { leftInWords } from '#core/rollout/events.ts'
import { leftByKruise } from '#core/workload/kruise.ts'
import type { KubeClient } from '#kube/client.ts'
import { Forbidden, NotFound } from '#kube/errors.ts'
import { resource } from '#kube/resources.ts'
import type { ResourceType } from '#kube/resources.ts'

const types: readonly ResourceType[] = [
  resource(`${GROUP}/v1beta1`, 'batchreleases', 'BatchRelease'),
  resource(`${GROUP}/v1alpha1`, 'trafficroutings', 'TrafficRouting'),
]

/** One line for everything that is left in the namespace of the Deployment, and on itself. */
export async function leftovers(
  client: KubeClient,
  deployment: Deployment,
): Promise<readonly string[]> {
  const { namespace = '', name } = deployment.metadata
  const left = leftByKruise(deployment)
  const ref = { apiVersion: 'apps/v1', kind: 'Deployment', namespace, name }
  const found = await Promise.all(types.map(type => kept(client, type, namespace)))
  return [
    ...(left ? [`deployment/${name}: ${leftInWords(ref, left)}`] : []),
    ...found.flat().map(object => lingers(object)),
  ]
}

/** Objects with finalizers; none where there is no such kind, or nobody may look. */
async function kept(
  client: KubeClient,
  type: ResourceType,
  namespace: string,
): Promise<readonly KubeObject[]> {
  try {
    const { items } = await client.listAll(type, { namespace })
    return items.filter(({ metadata }) => (metadata.finalizers ?? []).length > 0)
  } catch (error) {
    if (error instanceof NotFound || error instanceof Forbidden) return []
    throw error
  }
}

function lingers({ kind, metadata: { namespace, name } }: KubeObject): string {
  const what = `${kind.toLowerCase()}s.${GROUP} ${name}`
  const patch = `kubectl -n ${namespace} patch ${what} --type=merge -p '{"metadata":{"finalizers":null}}'`
  return `${kind} ${name} of Kruise Rollouts has a finalizer, which would keep this namespace from being deleted; where it runs no more: ${patch}`
}
