// The policies of this checkout, in a cluster whose API server serves policies; in another one there is
// none, and what comes while nobody of ours answers is not held.

import type { KindRef } from '#core/ref.ts'
import type { KubeClient } from '#kube/client.ts'
import { NotFound } from '#kube/errors.ts'
import { mutatingPolicies } from '#kube/resources.ts'
import { catchingPolicies, policyVersions } from '../webhook/policy.ts'
import { removed } from './removed.ts'

type Version = (typeof policyVersions)[number]

/** Registers the policies, where the API server serves policies. */
export async function registerPolicy(
  client: KubeClient,
  name: string,
  extraKinds: readonly KindRef[],
): Promise<void> {
  const apiVersion = await servedVersion(client)
  if (!apiVersion) return
  const { policies, bindings } = mutatingPolicies(apiVersion)
  const apply = { fieldManager: name, force: true }
  for (const { policy, binding } of catchingPolicies({ name, apiVersion, extraKinds })) {
    await client.apply(policies, policy, apply)
    await client.apply(bindings, binding, apply)
  }
}

/** Takes the policies away. */
export async function unregisterPolicy(
  client: KubeClient,
  name: string,
  extraKinds: readonly KindRef[],
): Promise<void> {
  const apiVersion = await servedVersion(client)
  if (!apiVersion) return
  const { policies, bindings } = mutatingPolicies(apiVersion)
  for (const { policy } of catchingPolicies({ name, apiVersion, extraKinds })) {
    const ref = { name: policy.metadata.name }
    await removed(client, bindings, ref)
    await removed(client, policies, ref)
  }
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
