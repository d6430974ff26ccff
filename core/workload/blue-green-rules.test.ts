// Each rule of a blue-green release by itself: the pods that there are, and the next write.

import { describe, expect, test } from 'vitest'

import type { IntOrPercent } from '#api/kubernetes.ts'
import { toldBy } from '../../test/world/deployment-scene.ts'
import type { Scene } from '../../test/world/deployment-scene.ts'
import { sideHold } from './blue-green-rules.ts'
import { blueGreen } from './blue-green.ts'
import type { WorkloadAction } from './model.ts'
import { surgePods } from './percent.ts'

const to = (pods: IntOrPercent): WorkloadAction => ({ type: 'advance', pods })
const abort: WorkloadAction = { type: 'abort' }
const keep: WorkloadAction = { type: 'keep' }

type Row = readonly [sentence: string, action: WorkloadAction, scene: Scene, writes: string]

const half = { pods: '50%', budget: '0%', surge: '50%' }
const stop = { mode: 'stop', pods: '50%', budget: '1%', surge: '50%' } as const

describe('forward', () => {
  test.each<Row>([
    [
      'the surge rises to what the step wants',
      to('100%'),
      { hold: half, versions: { v1: { pods: 10 }, v2: { pods: 5, armed: true } } },
      'wave 0%+100%',
    ],
    [
      'a number of pods is said in percent, so that a scaling is seen',
      to(3),
      { hold: { ...half, pods: 1, surge: '1%' }, versions: { v1: { pods: 10 }, v2: { pods: 1 } } },
      'wave 0%+21%',
    ],
    [
      'all new pods must be Ready',
      to('50%'),
      { hold: half, versions: { v1: { pods: 10 }, v2: { pods: 5, ready: 4, armed: true } } },
      'wait',
    ],
    [
      'a step whose pods are Ready is done, beside old ones that are not',
      to('50%'),
      { hold: half, versions: { v1: { pods: 10, ready: 8 }, v2: { pods: 5, armed: true } } },
      'done',
    ],
    [
      'a step back takes nobody away who was let out',
      to('10%'),
      { hold: half, versions: { v1: { pods: 10 }, v2: { pods: 5, armed: true } } },
      'done',
    ],
    [
      'old pods that a scaling took come back before anything else',
      to('50%'),
      { hold: half, versions: { v1: { pods: 9 }, v2: { pods: 6, armed: true } } },
      'scale web-v1 to 10',
    ],
    [
      'new pods that a scaling added go again',
      to('50%'),
      { hold: half, versions: { v1: { pods: 10 }, v2: { pods: 6, armed: true } } },
      'scale web-v2 to 5',
    ],
    [
      'but not before the hold has stopped asking for them',
      to(3),
      {
        hold: { ...half, pods: 3, surge: '50%' },
        versions: { v1: { pods: 10 }, v2: { pods: 5, armed: true } },
      },
      'wave 0%+21%',
    ],
    [
      'a Ready new pod stays for as long as too few are Ready without it',
      to('50%'),
      { hold: half, versions: { v1: { pods: 10, ready: 4 }, v2: { pods: 6, armed: true } } },
      'wait',
    ],
    [
      'a third version moves nothing, and the second one stays armed',
      to('50%'),
      {
        hold: stop,
        versions: { v1: { pods: 10 }, v2: { pods: 5, armed: true }, v3: { pods: 0 } },
      },
      'wait',
    ],
    [
      'a native rollout that was under way is no third version',
      to('50%'),
      { hold: stop, versions: { v1: { pods: 8 }, v2: { pods: 4 }, v3: { pods: 0 } } },
      'wave 0%+50%',
    ],
    [
      'a version that comes back waits until none of its pods counts as available',
      to('50%'),
      { available: 15, hold: stop, versions: { v1: { pods: 10 }, v2: { pods: 5 } } },
      'wait',
    ],
    [
      'and then goes on',
      to('50%'),
      { available: 10, hold: stop, versions: { v1: { pods: 10 }, v2: { pods: 5, armed: true } } },
      'wave 0%+50%',
    ],
    [
      'with no more room than there is, while old pods are missing: new ones would take it',
      to('50%'),
      { hold: stop, versions: { v1: { pods: 9 }, v2: { pods: 5, armed: true } } },
      'wave 0%+31%',
    ],
    [
      'a workload that nothing keeps from counting them is stopped first',
      to('50%'),
      {
        available: 15,
        hold: { ...stop, mode: 'aborted' },
        versions: { v1: { pods: 10 }, v2: { pods: 5 } },
      },
      'stop 1%+41%',
    ],
    [
      'what the webhook did not hear is sent again',
      to('50%'),
      {
        held: 'annotation',
        hold: half,
        versions: { v1: { pods: 10 }, v2: { pods: 5, armed: true } },
      },
      'wave 0%+50%',
    ],
    [
      'nothing is computed before a scaling has come to every ReplicaSet',
      to('50%'),
      { hold: half, versions: { v1: { pods: 9, desired: 12 }, v2: { pods: 6, armed: true } } },
      'wait',
    ],
    [
      'where nothing is left to go back to, all stay new',
      to('50%'),
      { hold: half, versions: { v2: { pods: 10, armed: true } } },
      'wave 0%+91%',
    ],
  ])('%s', (_, action, scene, writes) => {
    expect(toldBy(blueGreen, action, scene)).toBe(writes)
  })

  test('without pods nobody can be new', () => {
    const scene = { replicas: 0, hold: half, versions: { v1: { pods: 0 }, v2: { pods: 0 } } }
    expect(toldBy(blueGreen, to('50%'), scene)).toBe('wait')
  })
})

describe('paused by its owner', () => {
  test.each<Row>([
    [
      'what was let out stays',
      keep,
      { hold: half, versions: { v1: { pods: 10 }, v2: { pods: 5, ready: 2, armed: true } } },
      'done',
    ],
    [
      'what a scaling added goes',
      keep,
      { hold: half, versions: { v1: { pods: 10 }, v2: { pods: 6, armed: true } } },
      'scale web-v2 to 5',
    ],
    [
      'nothing is asked of a workload that stands',
      keep,
      { hold: stop, versions: { v1: { pods: 10 } } },
      'done',
    ],
  ])('%s', (_, action, scene, writes) => {
    expect(toldBy(blueGreen, action, scene)).toBe(writes)
  })
})

describe('an abort', () => {
  const versions = { v1: { pods: 10 }, v2: { pods: 5, armed: true } }
  test.each<Row>([
    ['stops the workload with all that there is', abort, { hold: half, versions }, 'stop 1%+41%'],
    ['then takes the new side away at once', abort, { hold: stop, versions }, 'scale web-v2 to 0'],
    [
      'then gives the deadline and the availability back',
      abort,
      { hold: stop, versions: { v1: { pods: 10 }, v2: { pods: 0, armed: true } } },
      'aborted 1%+0%',
    ],
    [
      'and is done',
      abort,
      {
        hold: { ...stop, mode: 'aborted', surge: '0%' },
        versions: { v1: { pods: 10 }, v2: { pods: 0 } },
      },
      'done',
    ],
    [
      'rolls while stable pods are missing',
      abort,
      { hold: half, versions: { v1: { pods: 0 }, v2: { pods: 10, armed: true } } },
      'back 0%+1%',
    ],
    [
      'brings them back',
      abort,
      {
        hold: { ...half, mode: 'back', surge: '1%' },
        versions: { v1: { pods: 0 }, v2: { pods: 10, armed: true } },
      },
      'scale web-v1 to 10',
    ],
    [
      'and waits for them to be Ready',
      abort,
      {
        hold: { ...half, mode: 'back', surge: '1%' },
        versions: { v1: { pods: 10, ready: 7 }, v2: { pods: 10, armed: true } },
      },
      'wait',
    ],
    [
      'for as many as the owner was promised',
      abort,
      {
        hold: { ...half, mode: 'back', surge: '1%' },
        versions: { v1: { pods: 10, ready: 8 }, v2: { pods: 10, armed: true } },
      },
      'stop 1%+91%',
    ],
    [
      'takes no Ready pod of a version between while too few stable ones are there',
      abort,
      { hold: half, versions: { v1: { pods: 6 }, v2: { pods: 4 }, v3: { pods: 5, armed: true } } },
      'wait',
    ],
    [
      'leaves it to the controller-manager to bring the last ones back beside a third version',
      abort,
      { hold: half, versions: { v1: { pods: 8 }, v2: { pods: 7, armed: true }, v3: { pods: 0 } } },
      'stop 1%+41%',
    ],
    [
      'but brings none back where none is left',
      abort,
      {
        own: ['100%', '25%'],
        hold: half,
        versions: { v1: { pods: 0 }, v2: { pods: 10, armed: true }, v3: { pods: 0 } },
      },
      'wait',
    ],
    [
      'is not possible without a stable ReplicaSet',
      abort,
      { hold: half, versions: { v2: { pods: 10, armed: true } } },
      'wait',
    ],
  ])('%s', (_, action, scene, writes) => {
    expect(toldBy(blueGreen, action, scene)).toBe(writes)
  })
})

test('a hold lets exactly as many pods stand beside as are meant', () => {
  for (let replicas = 1; replicas <= 130; replicas++) {
    for (const n of [1, Math.ceil(replicas / 2), replicas]) {
      for (const pods of [n, '50%', '99%', '100%']) {
        const { surge } = sideHold(pods, n, replicas)
        expect(surgePods(surge, replicas), `${n} of ${replicas} as ${pods}`).toBe(n)
      }
    }
  }
})

test('the words of the step stay where they say it, so that a scaling keeps the share', () => {
  expect(sideHold('50%', 5, 10)).toEqual({ mode: 'wave', budget: '0%', surge: '50%' })
  // One old pod is to stay that 95% would not leave.
  expect(sideHold('95%', 9, 10)).toEqual({ mode: 'wave', budget: '0%', surge: '81%' })
})
