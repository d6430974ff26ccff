import { expect, test } from 'vitest'

import { HOLD, WAVE } from '#api/names.ts'
import { holdChange } from './changes.ts'
import { formatHold } from './hold.ts'
import type { Hold } from './hold.ts'
import type { Workload } from './model.ts'

const hold: Hold = {
  mode: 'wave',
  pods: '30%',
  budget: '30%',
  surge: '0%',
  rolloutId: 'abc-2',
  seq: 1,
  abortSeen: 'd1',
}
const ref = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'web' }
const workload = { ref, resourceVersion: '7', hold } as Workload

test('a wave is one label: no annotation changes, which would be copied', () => {
  expect(holdChange(workload, { ...hold, pods: '60%', budget: '60%' }).patch).toEqual({
    metadata: { labels: { [WAVE]: 'wave.2.2.60p.60p.0p' } },
  })
})

test('what a label cannot say is an annotation, and no label stays beside it', () => {
  const { abortSeen: _, ...next } = hold
  expect(holdChange(workload, next).patch).toEqual({
    metadata: {
      labels: { [WAVE]: null },
      annotations: { [HOLD]: formatHold({ ...next, seq: 2 }) },
    },
  })
})
