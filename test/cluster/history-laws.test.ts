// The laws of a recording catch what they are there for: each is broken once, by hand.

import { expect, test } from 'vitest'

import { ARMED_MIN_READY_SECONDS } from '#api/names.ts'
import { rolling } from '../properties/happenings.ts'
import type { WorkloadFacts, Facts, RolloutFacts, State } from './chronicle-facts.ts'
import { deployments, otherKinds } from './history-kinds.ts'
import { breaches } from './history-laws.ts'
import { ownSets } from './own-sets.ts'

/** What changes with one write: of a ReplicaSet its size and how many of its pods are Ready. */
interface Write {
  readonly workload?: Partial<WorkloadFacts>
  readonly rollout?: Partial<RolloutFacts['told']>
  readonly set?: readonly [image: string, replicas: number, ready: number, armed?: 'armed']
}

const atRest: State = {
  version: 1n,
  at: 0,
  changed: undefined,
  workload: {
    kind: 'workload',
    metadata: { name: 'web' },
    generation: 1,
    observedGeneration: 1,
    replicas: 10,
    image: 'v1',
    strategy: rolling('25%', '25%'),
    minReadySeconds: 0,
    progressDeadlineSeconds: 600,
    paused: false,
    hold: undefined,
    recorded: false,
    ownerPaused: false,
    caught: false,
    guarded: true,
    readyReplicas: 10,
  },
  rollout: {
    kind: 'rollout',
    metadata: { name: 'web-rollout' },
    generation: 1,
    steps: [1, '50%', '100%'].map(replicas => ({ replicas, timed: false })),
    told: {
      observedGeneration: 1,
      phase: 'Healthy',
      release: '',
      planHash: 'plan',
      step: 3,
      nextStep: -1,
      state: 'Completed',
      reached: false,
      stalled: false,
      waitsForStable: false,
      explained: false,
    },
  },
  sets: [],
  pods: [],
}

function after(state: State, { workload, rollout, set }: Write): State {
  const next = { ...state, version: state.version + 1n, at: state.at + 10 }
  if (workload) {
    const generation = state.workload!.generation + 1
    const changed = { kind: 'workload', name: 'web' } as const
    const facts = {
      ...state.workload!,
      generation,
      observedGeneration: generation,
      ...workload,
    }
    return { ...next, changed, workload: facts }
  }
  if (rollout) {
    const told = { ...state.rollout!.told, ...rollout }
    const changed = { kind: 'rollout', name: 'web-rollout' } as const
    return { ...next, changed, rollout: { ...state.rollout!, told } }
  }
  const [image, replicas, ready, armed] = set!
  const facts = {
    kind: 'set',
    metadata: { name: image, uid: image },
    image,
    replicas,
    desired: 10,
    minReadySeconds: armed ? ARMED_MIN_READY_SECONDS : 0,
    readyReplicas: ready,
    observed: true,
  } as const
  const pods = Array.from({ length: ready }, (_, index) => podOf(image, index))
  return {
    ...next,
    changed: { kind: 'set', name: image },
    sets: [...others(state.sets, image), facts],
    pods: [...state.pods.filter(({ owner }) => owner !== image), ...pods],
  }
}

function podOf(owner: string, index: number) {
  const metadata = { name: `${owner}-${index}` }
  return { kind: 'pod', metadata, owner, image: owner, ready: true, terminating: false } as const
}

function others<F extends Facts>(all: readonly F[], name: string): readonly F[] {
  return all.filter(({ metadata }) => metadata.name !== name)
}

const hold = 'mode=wave;pods=1;budget=10%;surge=0%;rollout-id=r;seq=1;'
const armed = { minReadySeconds: ARMED_MIN_READY_SECONDS }
const edit: Write = { workload: { image: 'v2', hold, recorded: true, ...armed } }
const caught: Write = { workload: { image: 'v2', caught: true, recorded: true, paused: true } }
const waits = {
  phase: 'Progressing',
  release: 'r',
  step: 1,
  nextStep: 2,
  state: 'StepPaused',
  explained: true,
}
const reached: Write = { rollout: { ...waits, reached: true } }
const approved: Write = { rollout: { state: 'StepReady' } }
const stepTwo: Write = { rollout: { step: 2, nextStep: 3, state: 'StepUpgrade', reached: false } }
const firstStep: readonly Write[] = [
  { set: ['v1', 10, 10] },
  edit,
  { set: ['v1', 9, 9] },
  { set: ['v2', 1, 1, 'armed'] },
  reached,
]

function found(...writes: readonly Write[]): readonly string[] {
  let state = atRest
  const states = [state, ...writes.map(write => (state = after(state, write)))]
  const wishes = [{ since: 0n, strategy: { strategy: rolling('25%', '25%') } }]
  const told = { kind: deployments, wishes, killed: new Set<string>(), minReadySeconds: 0 }
  return breaches(states, told).map(({ law }) => law)
}

test('a release as it should be breaks no law', () => {
  const rest: readonly Write[] = [
    approved,
    { workload: { hold: hold.replace('10%', '50%') } },
    stepTwo,
    { set: ['v1', 7, 7] },
    { set: ['v2', 3, 1, 'armed'] },
    { set: ['v2', 3, 3, 'armed'] },
    { set: ['v1', 5, 5] },
    { set: ['v2', 5, 5, 'armed'] },
  ]
  expect(found(...firstStep, ...rest)).toEqual([])
})

test('who leaves while an edit is on its way still counts: the rollback takes as many new ones at once', () => {
  const back = { image: 'v1', hold: undefined, recorded: false, minReadySeconds: 0 }
  const leaving: readonly Write[] = [
    ...firstStep,
    approved,
    { workload: { hold: hold.replace('10%', '50%') } },
    { workload: { ...back, observedGeneration: 2 } },
    { set: ['v1', 7, 7] },
    { workload: back },
    { set: ['v1', 10, 7] },
  ]
  expect(found(...leaving, { set: ['v2', 0, 0] })).toEqual([])
  expect(found(...leaving, { set: ['v1', 10, 5] }, { set: ['v2', 0, 0] })).toEqual([
    'v2 from 1 to 0 pods: 5 Ready, 6 before, 8 owed',
  ])
})

test.each<[law: string, writes: readonly Write[]]>([
  ['v2 from 1 to 2 pods: 1 new ones allowed', [...firstStep, { set: ['v2', 2, 1, 'armed'] }]],
  [
    'v2 from 1 to 6 pods: 5 new ones allowed',
    [...firstStep, approved, stepTwo, { set: ['v1', 7, 7] }, { set: ['v2', 6, 1, 'armed'] }],
  ],
  ['v1 from 9 to 6 pods: 7 Ready, 10 before, 8 owed', [...firstStep, { set: ['v1', 6, 6] }]],
  ['v1 from 9 to 13 pods: 14 in all, 13 allowed', [...firstStep, { set: ['v1', 13, 9] }]],
  ['the stable ReplicaSet of v1 is armed', [...firstStep, { set: ['v1', 9, 9, 'armed'] }]],
  ['step 2 after step 1 without an approval', [...firstStep, stepTwo]],
  ['step 0 after step 1', [...firstStep, { rollout: { step: 0 } }]],
  ['nobody is told why it is Progressing', [...firstStep, { rollout: { explained: false } }]],
  ['the edit to v2 went out unheld', [{ workload: { image: 'v2' } }]],
  [
    'v2 from 0 to 1 pods: 0 new ones allowed',
    [{ set: ['v1', 10, 10] }, caught, { set: ['v2', 1, 0] }],
  ],
  ['the approval of step 1 was lost', [...firstStep, approved, reached]],
  [
    'the release was ended at 1 of 10 pods',
    [...firstStep, { workload: { hold: undefined, recorded: false } }],
  ],
])('it is seen that %s', (law, writes) => {
  expect(found(...writes)).toEqual([law])
})

/** Four pods by ordinal in the middle of a release that lets one be new: `1`, `2`; `!`: not Ready, `-`: gone. */
function line(pods: string, index: number): State {
  const strategy = rolling(1, 0)
  const workload = {
    ...atRest.workload!,
    image: 'v2',
    hold: hold.replace('10%', '1'),
    recorded: true,
    keeps: 3,
    replicas: 4,
    owns: 'ordinals' as const,
    strategy,
  }
  const rollout = { ...atRest.rollout!, told: { ...atRest.rollout!.told, ...waits, reached: true } }
  const all = pods.split(' ').flatMap((word, ordinal) => {
    const image = `v${word[0]}`
    const metadata = { name: `web-${ordinal}` }
    const pod = { kind: 'pod', metadata, image, owner: image, terminating: false } as const
    return word === '-' ? [] : [{ ...pod, ready: !word.endsWith('!') }]
  })
  const changed = { kind: 'pod', name: 'web' } as const
  const at = index * 10
  return ownSets({ ...atRest, version: BigInt(index), at, changed, workload, rollout, pods: all })
}

test.each<[laws: readonly string[], lines: readonly string[]]>([
  [[], ['1 1 1 1', '1 1 1 -', '1 1 1 2!', '1 1 1 2']],
  [
    ['v2 from 1 to 2 pods: 1 new ones allowed'],
    ['1 1 1 1', '1 1 1 -', '1 1 1 2', '1 1 - 2', '1 1 2! 2'],
  ],
  [['v1 from 3 to 2 pods: 2 Ready, 3 before, 3 owed'], ['1 1 1 1', '1 1 1 -', '1 1 - -']],
])('of a kind that owns its pods it is seen that %s', (laws, lines) => {
  const kind = otherKinds.find(({ name }) => name === 'statefulset')!
  const wishes = [{ since: 0n, strategy: kind.strategies[0]! }]
  const told = { kind, wishes, killed: new Set<string>(), minReadySeconds: 0 }
  const free = {
    ...line(lines[0]!, 0),
    workload: atRest.workload && {
      ...line(lines[0]!, 0).workload!,
      image: 'v1',
      hold: undefined,
      recorded: false,
    },
  }
  const states = [free, ...lines.map((each, index) => line(each, index + 1))]
  expect(breaches(states, told).map(({ law }) => law)).toEqual(laws)
})
