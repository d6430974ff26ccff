// The Rollout of tests that need one and nothing special about it: 1 pod, half, all.

import type { Rollout } from '#core/rollout/model.ts'

export const threeSteps: Rollout = {
  name: 'web-rollout',
  namespace: 'shop',
  uid: 'uid-rollout',
  ref: { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'web' },
  style: 'partition',
  steps: [{ replicas: 1 }, { replicas: '50%' }, { replicas: '100%' }],
  failureThreshold: 0,
  paused: false,
  disabled: false,
  planHash: 'plan',
}
