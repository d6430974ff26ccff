// `sluice adopt`: reads a Deployment and what stands beside it, and proposes its Rollout. Writes nothing.

import type { KubeClient } from '#kube/client.ts'
import { DEPLOYMENTS, DISRUPTION_BUDGETS, POD_AUTOSCALERS } from '#kube/resources.ts'
import { leftovers } from './kruise.ts'
import { nextEdit } from './next-edit.ts'
import { propose } from './proposal.ts'
import { named, readRollouts, rolloutFor } from './stands.ts'
import type { Surroundings } from './surroundings.ts'
import { rolloutYaml } from './yaml.ts'

/** Prints the proposal, and tells what would happen; false where a Rollout is there already. */
export async function adopt(
  client: KubeClient,
  { namespace, name }: { readonly namespace: string; readonly name: string },
  { print, complain }: Pick<Surroundings, 'print' | 'complain'>,
): Promise<boolean> {
  const { apiVersion, kind } = DEPLOYMENTS
  const reading = client.get(DEPLOYMENTS, { namespace, name })
  const deployment = await named({ apiVersion, kind, namespace, name }, reading)
  const [autoscalers, budgets] = await Promise.all([
    client.listAll(POD_AUTOSCALERS, { namespace }),
    client.listAll(DISRUPTION_BUDGETS, { namespace }),
  ])
  for (const line of await leftovers(client, namespace)) complain(`sluice: ${line}`)
  const rollouts = await readRollouts(client, namespace)
  const guard = rolloutFor(deployment, rollouts)
  if (guard) {
    complain(`sluice: Rollout ${guard.metadata.name} names deployment/${name} already`)
    return false
  }
  const proposal = propose({
    deployment,
    autoscalers: autoscalers.items,
    budgets: budgets.items,
    taken: new Set(rollouts?.map(rollout => rollout.metadata.name)),
  })
  print(rolloutYaml(proposal))
  if (!rollouts) complain('Rollouts are not known here yet: install Sluice first')
  complain('at the next edit:')
  for (const line of nextEdit(deployment, proposal.rollout)) complain(`  ${line}`)
  return true
}
