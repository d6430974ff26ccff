// StatefulSets, whose own controller waits for each pod: one that is never Ready keeps all others from coming.

import { expect, test } from 'vitest'

import * as people from '../world/people.ts'
import { statefulSetKind } from '../world/kinds.ts'
import { newWorld, play, pods } from '../world/play.ts'
import { tell } from './story.ts'

const { approve, edit, scale } = people

const updateStrategy = { type: 'RollingUpdate', rollingUpdate: { partition: 0 } }
const beginning = { kind: statefulSetKind, replicas: 4, spec: { updateStrategy } }

/** Scaled to nobody, its controller takes the broken version for the current one. */
const stuck = [
  [edit('broken'), 'ReleaseStarted -> Progressing 1 StepUpgrade: 3 v1 1 broken, 3 ready'],
  [scale(0), 'nothing -> Progressing 1 StepUpgrade: no pod'],
  [scale(3), '1+0% -> Progressing 1 StepUpgrade: 1 broken, 0 ready'],
] as const

tell({
  'of a broken version that nobody wants none comes again: all are the next one, and that is told':
    {
      beginning,
      rows: [
        ...stuck,
        [
          edit('v3'),
          'ReleaseRestarted, 100%+0%, delete web-0, StepReached, StableRevisionGone, 1+0% -> Progressing 1 StepPaused: 3 v3',
        ],
        [approve, '50%+0%, StepReached -> Progressing 2 StepPaused: 3 v3'],
        [approve, 'finishing, released, ReleaseCompleted -> Healthy: 3 v3'],
      ],
    },
  'the old version takes the place of a broken one that was scaled to 0 and up again': {
    beginning,
    rows: [...stuck, [edit('v1'), 'delete web-0, ReleaseRolledBack -> Healthy: 3 v1']],
  },
  'a third version takes the place of a broken one where the only step lets everybody go': {
    beginning: { ...beginning, steps: [{ replicas: '100%' }] },
    rows: [
      [
        edit('broken'),
        'ReleaseStarted, finishing -> Progressing 1 StepUpgrade: 3 v1 1 broken, 3 ready',
      ],
      [
        edit('v3'),
        'ReleaseRestarted, finishing, delete web-3, released, ReleaseCompleted -> Healthy: 4 v3',
      ],
    ],
  },
})

test('a broken pod of which no release was seen keeps nobody from the old version', () => {
  const world = newWorld(beginning)
  edit('broken')(world)
  for (let i = 0; i < 3; i++) {
    statefulSetKind.sync(world)
    statefulSetKind.carryOut(world)
  }
  expect(pods(world)).toBe('3 v1 1 broken, 3 ready')
  expect(play(world, edit('v1'))).toContain('Healthy: 4 v1')
})
