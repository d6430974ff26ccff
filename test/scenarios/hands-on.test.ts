// What owners, clients and outages do beside the release: pauses, their own values, manifests put in
// place again, labels, a webhook that is not there, workloads that come and go.

import { expect, test } from 'vitest'

import { ROLLOUT_ID } from '#api/names.ts'
import * as people from '../world/people.ts'
import { newWorld, play } from '../world/play.ts'
import { rolloutIn } from '../world/world.ts'
import { tell } from './story.ts'

const { approve, deleteWorkload, edit, freeze, label, manifest, pass, patch, pauseWorkload } =
  people
const { plan, replace, resumeWorkload, webhook } = people

const strategy = (maxUnavailable: number | string, maxSurge: number | string) => ({
  strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable, maxSurge } },
})

tell({
  'a frozen Rollout starts no step and ends no pause': {
    rows: [
      [edit('v2'), 'ReleaseStarted, 10%+0%, StepReached -> Progressing 1 StepPaused: 9 v1 1 v2'],
      [freeze(true), 'nothing -> Progressing 1 StepPaused: 9 v1 1 v2'],
      [approve, 'nothing -> Progressing 1 StepReady: 9 v1 1 v2'],
      [freeze(false), '30%+11%, 50%+0%, StepReached -> Progressing 2 StepPaused: 5 v1 5 v2'],
    ],
  },
  'an edit under a frozen Rollout starts no pod': {
    rows: [
      [freeze(true), 'nothing -> Healthy: 10 v1'],
      [edit('v2'), 'ReleaseStarted -> Progressing 1 BeforeStepUpgrade: 10 v1'],
      [freeze(false), '10%+0%, StepReached -> Progressing 1 StepPaused: 9 v1 1 v2'],
    ],
  },
  'taken back before a pod of it was asked for, it was rolled back': {
    rows: [
      [freeze(true), 'nothing -> Healthy: 10 v1'],
      [edit('v2'), 'ReleaseStarted -> Progressing 1 BeforeStepUpgrade: 10 v1'],
      [edit('v1'), 'ReleaseRolledBack -> Healthy: 10 v1'],
      [freeze(false), 'nothing -> Healthy: 10 v1'],
    ],
  },
  'rollout pause freezes a release, rollout resume goes on': {
    rows: [
      [edit('v2'), 'ReleaseStarted, 10%+0%, StepReached -> Progressing 1 StepPaused: 9 v1 1 v2'],
      [pauseWorkload, 'nothing -> Progressing 1 StepPaused: 9 v1 1 v2'],
      [approve, 'nothing -> Progressing 1 StepReady: 9 v1 1 v2'],
      [resumeWorkload, '30%+11%, 50%+0%, StepReached -> Progressing 2 StepPaused: 5 v1 5 v2'],
    ],
  },
  'an edit of a paused workload waits with every revision as it is, and begins when it is resumed':
    {
      beginning: { replicas: 4, spec: strategy(0, 1) },
      rows: [
        [edit('v2'), 'ReleaseStarted, 25%+0%, StepReached -> Progressing 1 StepPaused: 3 v1 1 v2'],
        [pauseWorkload, 'nothing -> Progressing 1 StepPaused: 3 v1 1 v2'],
        [edit('v3'), 'ReleaseRestarted -> Progressing 1 BeforeStepUpgrade: 3 v1 1 v2'],
        [
          resumeWorkload,
          'disarm web-v2, 0%+1, arm web-v2, 25%+0%, StepReached -> Progressing 1 StepPaused: 3 v1 1 v3',
        ],
      ],
    },
  'the same manifest again moves nothing': {
    rows: [
      [edit('v2'), 'ReleaseStarted, 10%+0%, StepReached -> Progressing 1 StepPaused: 9 v1 1 v2'],
      [replace(manifest('v2', { replicas: 10 })), 'nothing -> Progressing 1 StepPaused: 9 v1 1 v2'],
      [approve, '30%+11%, 50%+0%, StepReached -> Progressing 2 StepPaused: 5 v1 5 v2'],
      [replace(manifest('v2', { replicas: 10 })), 'nothing -> Progressing 2 StepPaused: 5 v1 5 v2'],
    ],
  },
  'a strategy that its owner changes governs the next wave': {
    rows: [
      [edit('v2'), 'ReleaseStarted, 10%+0%, StepReached -> Progressing 1 StepPaused: 9 v1 1 v2'],
      [patch(strategy(1, 0)), 'nothing -> Progressing 1 StepPaused: 9 v1 1 v2'],
      [
        approve,
        '20%+0%, 30%+0%, 40%+0%, 50%+0%, StepReached -> Progressing 2 StepPaused: 5 v1 5 v2',
      ],
    ],
  },
  'pods carry the release and the step of an owner who names it': {
    beginning: { replicas: 4 },
    rows: [
      [label(ROLLOUT_ID, 'r1'), 'nothing -> Healthy: 4 v1'],
      [
        edit('v2'),
        'ReleaseStarted, 25%+0%, label 1, StepReached -> Progressing 1 StepPaused: 3 v1 1 v2',
      ],
      [approve, '50%+0%, label 2, StepReached -> Progressing 2 StepPaused: 2 v1 2 v2'],
    ],
  },
  'while the webhook is away no step goes on, and it goes on when it is back': {
    rows: [
      [edit('v2'), 'ReleaseStarted, 10%+0%, StepReached -> Progressing 1 StepPaused: 9 v1 1 v2'],
      [webhook(false), 'nothing -> Progressing 1 StepPaused: 9 v1 1 v2'],
      [
        approve,
        '30%+11%, 30%+11%, 30%+11%, 30%+11%, 30%+11% -> Progressing 2 StepUpgrade: 9 v1 1 v2',
      ],
      [webhook(true), '30%+11%, 50%+0%, StepReached -> Progressing 2 StepPaused: 5 v1 5 v2'],
      [pass(60), 'nothing -> Progressing 2 StepPaused: 5 v1 5 v2'],
    ],
  },
  'a wave that is begun while the webhook is away finds no pause of the owner in what stood still':
    {
      rows: [
        [freeze(true), 'nothing -> Healthy: 10 v1'],
        [edit('v2'), 'ReleaseStarted -> Progressing 1 BeforeStepUpgrade: 10 v1'],
        [webhook(false), 'nothing -> Progressing 1 BeforeStepUpgrade: 10 v1'],
        [
          freeze(false),
          '10%+0%, 10%+0%, 10%+0%, 10%+0%, 10%+0% -> Progressing 1 StepUpgrade: 10 v1',
        ],
        [webhook(true), '10%+0%, StepReached -> Progressing 1 StepPaused: 9 v1 1 v2'],
      ],
    },
  'the end of a release waits for the webhook as well': {
    beginning: { steps: [{ replicas: 5 }] },
    rows: [
      [edit('v2'), 'ReleaseStarted, 50%+0%, StepReached -> Progressing 1 StepPaused: 5 v1 5 v2'],
      [webhook(false), 'nothing -> Progressing 1 StepPaused: 5 v1 5 v2'],
      [
        approve,
        'finishing, finishing, finishing, finishing, finishing -> Progressing 1 Completed: 5 v1 5 v2',
      ],
      [webhook(true), 'finishing, released, ReleaseCompleted -> Healthy: 10 v2'],
      [pass(60), 'nothing -> Healthy: 10 v2'],
    ],
  },
  'a webhook that is not registered guards nothing, and says so': {
    rows: [
      [
        world => {
          world.registered = false
        },
        'nothing -> Initial: 10 v1',
      ],
    ],
  },
  'a Rollout may come before its workload, and outlive it': {
    rows: [
      [deleteWorkload, 'nothing -> Initial: no workload'],
      [replace(manifest('v5', { replicas: 2 })), 'guard, guard v5 -> Healthy: 2 v5'],
      [edit('v6'), 'ReleaseStarted, 50%+0%, StepReached -> Progressing 1 StepPaused: 1 v5 1 v6'],
      [deleteWorkload, 'nothing -> Initial: no workload'],
      [replace(manifest('v6', { replicas: 2 })), 'guard, guard v6 -> Healthy: 2 v6'],
    ],
  },
  'a workload that is deleted and created again in one moment has no release, and none is told': {
    rows: [
      [edit('v2'), 'ReleaseStarted, 10%+0%, StepReached -> Progressing 1 StepPaused: 9 v1 1 v2'],
      [
        world => {
          deleteWorkload(world)
          replace(manifest('v2', { replicas: 2 }))(world)
        },
        'guard, guard v2 -> Healthy: 2 v2',
      ],
      [edit('v3'), 'ReleaseStarted, 50%+0%, StepReached -> Progressing 1 StepPaused: 1 v2 1 v3'],
    ],
  },
  'the time of a pause goes on while the Rollout is frozen: its pods run and serve': {
    beginning: { steps: [{ replicas: 1, pause: { duration: 60 } }, { replicas: 5 }] },
    rows: [
      [edit('v2'), 'ReleaseStarted, 10%+0%, StepReached -> Progressing 1 StepPaused: 9 v1 1 v2'],
      [pass(20), 'nothing -> Progressing 1 StepPaused: 9 v1 1 v2'],
      [freeze(true), 'nothing -> Progressing 1 StepPaused: 9 v1 1 v2'],
      [pass(100), 'nothing -> Progressing 1 StepPaused: 9 v1 1 v2'],
      [freeze(false), '30%+11%, 50%+0%, StepReached -> Progressing 2 StepPaused: 5 v1 5 v2'],
    ],
  },
  'a native rollout that runs when a Rollout is created is waited for': {
    beginning: { steps: false },
    rows: [
      [edit('broken'), 'nothing -> no Rollout: 5 broken 8 v1, 8 ready'],
      [
        plan([{ replicas: 1 }, { replicas: '100%' }]),
        'guard v1 -> Initial: 5 broken 8 v1, 8 ready',
      ],
      [
        edit('v2'),
        'ReleaseStarted, 10%+0%, StepReached -> Progressing 1 StepPaused: 1 broken 8 v1 1 v2, 9 ready',
      ],
      [edit('v1'), 'disarm web-v2, ReleaseRolledBack, guard v1 -> Healthy: 10 v1'],
    ],
  },
  'an owner who turns to Recreate has it in the end': {
    rows: [
      [edit('v2'), 'ReleaseStarted, 10%+0%, StepReached -> Progressing 1 StepPaused: 9 v1 1 v2'],
      [patch({ strategy: { type: 'Recreate' } }), 'nothing -> Progressing 1 StepPaused: 9 v1 1 v2'],
      [approve, '30%+11%, 50%+0%, StepReached -> Progressing 2 StepPaused: 5 v1 5 v2'],
      [approve, 'finishing, released, ReleaseCompleted -> Healthy NotHoldable: 10 v2'],
      [edit('v3'), 'guard v3, NotHeld -> Healthy NotHoldable: 10 v3'],
    ],
  },
})

test('who cannot be held says so at rest, and no more when he can', () => {
  const world = newWorld()
  const ready = () => rolloutIn(world)?.status?.conditions?.find(({ type }) => type === 'Ready')
  play(world, patch({ strategy: { type: 'Recreate' } }))
  expect(ready()).toMatchObject({
    status: 'False',
    reason: 'NotHoldable',
    message:
      'edits of deployment/web are not held: its strategy is Recreate, which has no steps; the next one goes by its own strategy alone',
  })
  play(world, patch({ strategy: { type: 'RollingUpdate' } }))
  expect(ready()).toMatchObject({ status: 'True', reason: 'Guarding' })
})

test('without the policy, a resume that met no webhook counts when it is back', () => {
  const world = newWorld()
  world.policy = false
  const told = [edit('v2'), pauseWorkload, webhook(false), resumeWorkload, webhook(true), approve]
  expect(told.map(happening => play(world, happening))).toEqual([
    'ReleaseStarted, 10%+0%, StepReached -> Progressing 1 StepPaused: 9 v1 1 v2',
    'nothing -> Progressing 1 StepPaused: 9 v1 1 v2',
    'nothing -> Progressing 1 StepPaused: 9 v1 1 v2',
    '10%+0%, 10%+0%, 10%+0%, 10%+0% -> Progressing 1 StepPaused: 9 v1 1 v2',
    '10%+0% -> Progressing 1 StepPaused: 9 v1 1 v2',
    '30%+11%, 50%+0%, StepReached -> Progressing 2 StepPaused: 5 v1 5 v2',
  ])
})

test('what is over, and met no webhook, has its owner’s values when it is back', () => {
  const world = newWorld()
  world.policy = false
  const told = [edit('v2'), webhook(false), edit('v1'), edit('v3'), webhook(true), pass(60)]
  expect(told.map(happening => play(world, happening))).toEqual([
    'ReleaseStarted, 10%+0%, StepReached -> Progressing 1 StepPaused: 9 v1 1 v2',
    'nothing -> Progressing 1 StepPaused: 9 v1 1 v2',
    'released, released, released, released, released -> Progressing 1 StepPaused: 9 v1 1 v2',
    'released -> Progressing 1 StepPaused: 8 v1 1 v2 1 v3',
    'nothing -> Progressing 1 StepPaused: 8 v1 1 v2 1 v3',
    'released, disarm web-v2, disarm web-v1, ReleaseOvertaken, guard v3 -> Healthy: 10 v3',
  ])
})

test('a webhook that does not take our holds is what a release waits for', () => {
  const world = newWorld()
  play(world, edit('broken'))
  play(world, refused => {
    refused.holdRefused = true
  })
  const ready = rolloutIn(world)?.status?.conditions?.find(({ type }) => type === 'Ready')
  expect(ready?.reason).toBe('HoldRefused')
  expect(ready?.message).toMatch(/^since .*--controller-user/)
})
