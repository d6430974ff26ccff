// The policy of this checkout, in a cluster whose API server serves policies; in another one there is
// none, and what comes while nobody of ours answers is not held.

import type { KubeClient } from '#kube/client.ts'
import { NotFound } from '#kube/errors.ts'
import { mutatingPolicies } from '#kube/resources.ts'
import { catchingPolicy, policyVersions } from '../webhook/policy.ts'
import { removed } from './removed.ts'

type Version = (typeof policyVersions)[number]

/** Registers the policy, where the API server serves policies. */
export async function registerPolicy(client: KubeClient, name: string): Promise<void> {
  const apiVersion = await servedVersion(client)
  if (!apiVersion) return
  const { policies, bindings } = mutatingPolicies(apiVersion)
  const { policy, binding } = catchingPolicy({ name, apiVersion })
  const apply = { fieldManager: name, force: true }
  await client.apply(policies, policy, apply)
  await client.apply(bindings, binding, apply)
}

/** Takes the policy away. */
export async function unregisterPolicy(client: KubeClient, name: string): Promise<void> {
  const apiVersion = await servedVersion(client)
  if (!apiVersion) return
  const { policies, bindings } = mutatingPolicies(apiVersion)
  await removed(client, bindings, { name })
  await removed(client, policies, { name })
}

async function servedVersion(client: KubeClient): Promise<Version | undefined> {
  for (const apiVersion of policyVersions) {
    if (await serves(client, apiVersion)) return apiVersion
  }
  return undefined
}

async function serves(client: KubeClient, apiVersion: Version): Promise<boolean> {
  try {
    await client.list(mutatingPolicies(apiVersion).policies, { limit: 1 })
    return true
  } catch (error) {
    if (error instanceof NotFound) return false
    throw error
  }
}
