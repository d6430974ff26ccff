// The policies of this checkout, in a cluster whose API server serves policies; in another one there is
// none, and what comes while nobody of ours answers is not held.

import type { KindRef } from '#core/ref.ts'
import type { KubeClient } from '#kube/client.ts'
import { NotFound } from '#kube/errors.ts'
import { mutatingPolicies, VALIDATING_POLICIES } from '#kube/resources.ts'
import { catchingPolicies, policyVersions } from '../webhook/policy.ts'
import type { PolicyOptions } from '../webhook/policy.ts'
import { tellingPolicy } from '../webhook/telling-policy.ts'
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
  const apply = { fieldManager: name, force: true }
  for (const { types, policy, binding } of allPolicies({ name, apiVersion, extraKinds })) {
    await client.apply(types.policies, policy, apply)
    await client.apply(types.bindings, binding, apply)
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
  for (const { types, policy } of allPolicies({ name, apiVersion, extraKinds })) {
    const ref = { name: policy.metadata.name }
    await removed(client, types.bindings, ref)
    await removed(client, types.policies, ref)
  }
}

/** Those that catch, and then the one that tells of it. */
function allPolicies(options: PolicyOptions) {
  const types = mutatingPolicies(options.apiVersion)
  const catching = catchingPolicies(options).map(each => ({ ...each, types }))
  return [...catching, { ...tellingPolicy(options), types: VALIDATING_POLICIES }]
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
