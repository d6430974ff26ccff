import { expect, test } from 'vitest'

import {
  CAUGHT,
  ESCAPE,
  HOLD,
  KRUISE_ORIGINAL,
  OWN_ROLLOUT_ID,
  RECORD,
  WAVE,
  WORKLOAD_TYPE,
} from '#api/names.ts'
import { formatRecord, recordOf } from './record.ts'

const owner = { strategy: { type: 'RollingUpdate' }, minReadySeconds: 5, paused: false }
const record = { owner, stable: 'f00d', rollout: 'web-rollout', rolloutUid: 'uid-1' }

function carrying(value?: string) {
  const annotations = value === undefined ? {} : { [RECORD]: value }
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web', annotations } }
}

test('a record is read as it was written', () => {
  expect(recordOf(carrying(formatRecord(record)))).toEqual(record)
})

test.each([[undefined], [true as const]])('so is by what requests come, one Service: %s', one => {
  const ref = { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', name: 'web', className: 'a;b' }
  const oneService = one && { oneService: one }
  const traffic = { service: 'web', routes: [ref], ...oneService, graceSeconds: 5 }
  expect(recordOf(carrying(formatRecord({ ...record, traffic })))).toEqual({ ...record, traffic })
})

test('a record is the merge patch that frees the workload when nobody of ours is alive', () => {
  expect(JSON.parse(formatRecord(record))).toEqual({
    metadata: {
      labels: { [WORKLOAD_TYPE]: null, [WAVE]: null },
      annotations: {
        [ESCAPE]: 'rollout=web-rollout;uid=uid-1;stable=f00d;',
        [HOLD]: null,
        [OWN_ROLLOUT_ID]: null,
        [RECORD]: null,
        [CAUGHT]: null,
        [KRUISE_ORIGINAL]: null,
      },
    },
    spec: owner,
  })
})

test.each([
  ['no annotation', undefined],
  ['nothing', ''],
  ['no JSON', '{"metadata":'],
  ['null', 'null'],
  ['a list', '[]'],
  [
    'no owner',
    JSON.stringify({ metadata: { annotations: { [ESCAPE]: 'rollout=r;uid=u;stable=s;' } } }),
  ],
  ['no memory', JSON.stringify({ spec: owner })],
  ['half a memory', formatRecord(record).replace('uid=uid-1;', '')],
])('%s is no record', (_, value) => {
  expect(recordOf(carrying(value))).toBeUndefined()
})
