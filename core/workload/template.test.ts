import { expect, test } from 'vitest'

import { templateFingerprint } from './template.ts'

const template = {
  metadata: { labels: { app: 'web' } },
  spec: { containers: [{ name: 'app', image: 'app:1', resources: {} }] },
}
const { metadata, spec } = template
const same = templateFingerprint(template)

test.each([
  [
    'the hash that the controller-manager adds',
    { ...template, metadata: { labels: { ...metadata.labels, 'pod-template-hash': 'x' } } },
  ],
  ['no annotations', { ...template, metadata: { ...metadata, annotations: {} } }],
  ['an empty list', { ...template, spec: { ...spec, volumes: [] } }],
  ['a null', { ...template, spec: { ...spec, nodeName: null } }],
  ['an empty map', { ...template, spec: { ...spec, nodeSelector: {} } }],
  ['other order of keys', { spec, metadata }],
])('%s makes no other version', (_, other) => {
  expect(templateFingerprint(other)).toBe(same)
})

test.each([
  [
    'another image',
    { ...template, spec: { containers: [{ ...spec.containers[0], image: 'app:2' }] } },
  ],
  ['another label', { ...template, metadata: { labels: { app: 'web', tier: 'a' } } }],
  [
    'an annotation, as kubectl rollout restart sets',
    { ...template, metadata: { ...metadata, annotations: { restartedAt: 'now' } } },
  ],
  [
    'another order of containers',
    { ...template, spec: { containers: [{ name: 'b' }, ...spec.containers] } },
  ],
  [
    'an emptyDir volume',
    { ...template, spec: { ...spec, volumes: [{ name: 'v', emptyDir: {} }] } },
  ],
  ['a zero', { ...template, spec: { ...spec, terminationGracePeriodSeconds: 0 } }],
])('%s makes another version', (_, other) => {
  expect(templateFingerprint(other)).not.toBe(same)
})

test.each([
  ['1Gi', '1073741824'],
  ['500m', '0.5'],
  ['1', '1000m'],
  ['1k', '1e3'],
  ['1.5Gi', '1536Mi'],
])('a quantity is the same however it is written: %s is %s', (one, other) => {
  const template = (memory: string) => ({
    spec: { containers: [{ name: 'app', resources: { requests: { memory } } }] },
  })
  expect(templateFingerprint(template(one))).toBe(templateFingerprint(template(other)))
  expect(templateFingerprint(template(one))).not.toBe(templateFingerprint(template('7')))
})
