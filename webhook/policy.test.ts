// The parts of the policy that differ between installations; what it catches is proven in test/cluster.

import { expect, test } from 'vitest'

import { mutatingConfiguration } from './configuration.ts'
import { catchingPolicy, policyVersions } from './policy.ts'

test.each(policyVersions)('a policy and its binding, as %s', apiVersion => {
  const { policy, binding } = catchingPolicy({ name: 'sluice', apiVersion })
  const metadata = { name: 'sluice' }
  expect(policy).toMatchObject({ apiVersion, kind: 'MutatingAdmissionPolicy', metadata })
  expect(binding).toEqual({
    apiVersion,
    kind: 'MutatingAdmissionPolicyBinding',
    metadata,
    spec: { policyName: 'sluice' },
  })
})

test('looks where the webhook looks, and spares what the webhook spares', () => {
  const ownNamespace = 'sluice-system'
  const namespaces = ['shop']
  const scope = { ownNamespace, namespaces }
  const { policy } = catchingPolicy({ name: 'sluice', apiVersion: policyVersions[0], ...scope })
  const { webhooks } = mutatingConfiguration({
    name: 'sluice',
    url: 'https://127.0.0.1:9443',
    failurePolicy: 'Ignore',
    ...scope,
  })
  const { namespaceSelector, objectSelector, rules, matchConditions } = webhooks[0]!
  const [escape] = matchConditions as readonly unknown[]
  expect(policy.spec).toMatchObject({
    matchConstraints: { namespaceSelector, objectSelector, resourceRules: rules },
    matchConditions: [escape, { name: 'lets-pods-out' }],
    reinvocationPolicy: 'Never',
  })
})
