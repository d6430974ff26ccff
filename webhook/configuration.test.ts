// The parts that differ between installations; what the conditions mean is proven in test/cluster.

import { describe, expect, test } from 'vitest'

import { mutatingConfiguration, validatingConfiguration } from './configuration.ts'

const options = { name: 'sluice', failurePolicy: 'Fail' } as const

describe('a webhook configuration', () => {
  test('by URL, with the CAs as base64', () => {
    const { webhooks } = mutatingConfiguration({
      ...options,
      url: 'https://127.0.0.1:9443/',
      caBundle: 'PEM',
    })
    const clientConfig = { url: 'https://127.0.0.1:9443/admit', caBundle: 'UEVN' }
    expect(webhooks).toMatchObject(webhooks.map(() => ({ clientConfig })))
  })

  test('by Service, never for our own namespace', () => {
    const service = { namespace: 'sluice-system', name: 'sluice-webhook' }
    const { webhooks } = validatingConfiguration({
      ...options,
      service,
      ownNamespace: 'sluice-system',
    })
    const shared = {
      clientConfig: { service: { ...service, port: 443, path: '/validate' } },
      namespaceSelector: {
        matchExpressions: [{ operator: 'NotIn', values: ['kube-system', 'sluice-system'] }],
      },
      rules: [{ apiGroups: ['rollouts.kruise.io'], apiVersions: ['v1beta1'] }],
    }
    expect(webhooks).toMatchObject([shared, shared])
  })

  test('only for namespaces that are named', () => {
    const url = 'https://127.0.0.1:9443'
    const { webhooks } = mutatingConfiguration({ ...options, url, namespaces: ['a', 'b'] })
    const matchExpressions = [
      { operator: 'NotIn', values: ['kube-system'] },
      { operator: 'In', values: ['a', 'b'] },
    ]
    const selected = { namespaceSelector: { matchExpressions } }
    expect(webhooks.slice(0, 2)).toMatchObject([selected, selected])
  })

  test('for a question of our own in our own namespace alone', () => {
    const url = 'https://127.0.0.1:9443'
    const { webhooks } = mutatingConfiguration({ ...options, url, ownNamespace: 'own' })
    const found = webhooks.filter(each => JSON.stringify(each['rules']).includes('leases'))
    const key = 'kubernetes.io/metadata.name'
    expect(found).toMatchObject([
      {
        namespaceSelector: { matchExpressions: [{ key, operator: 'In', values: ['own'] }] },
        objectSelector: { matchLabels: { 'sluice.dev/probe': 'sluice' } },
        matchConditions: [{ name: 'dry-run' }],
      },
    ])
  })

  test('promises the same for each webhook', () => {
    const url = 'https://127.0.0.1:9443'
    const all = [mutatingConfiguration, validatingConfiguration].flatMap(
      make => make({ ...options, url }).webhooks,
    )
    // Whoever deletes a Rollout is only warned: a webhook that is away must not keep it alive.
    expect(all.map(({ name, failurePolicy }) => [name, failurePolicy])).toEqual([
      ['workloads.sluice.dev', 'Fail'],
      ['copies.sluice.dev', 'Fail'],
      ['traffic.sluice.dev', 'Fail'],
      ['probe.sluice.dev', 'Fail'],
      ['rollouts.sluice.dev', 'Fail'],
      ['deletions.sluice.dev', 'Ignore'],
    ])
    for (const webhook of all) {
      expect(webhook).toMatchObject({
        matchPolicy: 'Equivalent',
        sideEffects: 'None',
        timeoutSeconds: 3,
        admissionReviewVersions: ['v1'],
      })
    }
  })
})
