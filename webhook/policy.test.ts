// The parts of the policy that differ between installations; what it catches is proven in test/cluster.

import { expect, test } from 'vitest'

import { adapters } from '#core/workload/registry.ts'
import { mutatingConfiguration } from './configuration.ts'
import { catchingPolicies, policyVersions } from './policy.ts'
import { tellingPolicy } from './telling-policy.ts'

test.each(policyVersions)('policies and their bindings, as %s', apiVersion => {
  const policies = catchingPolicies({ name: 'sluice', apiVersion })
  const names = [
    'sluice',
    'sluice-statefulsets',
    'sluice-daemonsets',
    'sluice-statefulsets.apps.kruise.io',
    'sluice-clonesets.apps.kruise.io',
    'sluice-daemonsets.apps.kruise.io',
  ]
  for (const [index, name] of names.entries()) {
    const { policy, binding } = policies[index]!
    const metadata = { name }
    expect(policy).toMatchObject({ apiVersion, kind: 'MutatingAdmissionPolicy', metadata })
    expect(binding).toEqual({
      apiVersion,
      kind: 'MutatingAdmissionPolicyBinding',
      metadata,
      spec: { policyName: name },
    })
  }
  expect(policies).toHaveLength(adapters.length)
})

test('looks where the webhook looks, and spares what the webhook spares', () => {
  const ownNamespace = 'sluice-system'
  const namespaces = ['shop']
  const scope = { ownNamespace, namespaces }
  const policies = catchingPolicies({ name: 'sluice', apiVersion: policyVersions[0], ...scope })
  const { webhooks } = mutatingConfiguration({
    name: 'sluice',
    url: 'https://127.0.0.1:9443',
    failurePolicy: 'Ignore',
    ...scope,
  })
  const { namespaceSelector, objectSelector, rules, matchConditions } = webhooks[0]!
  const [escape] = matchConditions as readonly unknown[]
  for (const [index, { policy }] of policies.entries()) {
    const resourceRules = [(rules as readonly unknown[])[index]]
    expect(policy.spec).toMatchObject({
      matchConstraints: { namespaceSelector, objectSelector, resourceRules },
      reinvocationPolicy: 'Never',
    })
    expect(policy.spec['matchConditions']).toEqual(
      expect.arrayContaining([escape, expect.objectContaining({ name: 'lets-pods-out' })]),
    )
  }
  expect(rules).toHaveLength(policies.length)
})

test('who is caught is told by one that looks at the same, and refuses nobody', () => {
  const options = {
    name: 'sluice',
    apiVersion: policyVersions[0],
    ownNamespace: 'sluice-system',
    namespaces: ['shop'],
    extraKinds: [{ apiVersion: 'a.example.com/v1', kind: 'Shard', plural: 'shards' }],
  }
  const { policy, binding } = tellingPolicy(options)
  const catching = catchingPolicies(options).map(({ policy: { spec } }) => spec['matchConstraints'])
  const [first] = catching as readonly { readonly resourceRules: readonly unknown[] }[]
  const all = (catching as readonly (typeof first)[]).flatMap(each => each!.resourceRules)
  expect(policy.spec).toMatchObject({
    matchConstraints: { ...first, resourceRules: all },
    failurePolicy: 'Ignore',
  })
  expect(binding.spec).toEqual({ policyName: 'sluice', validationActions: ['Warn'] })
})
