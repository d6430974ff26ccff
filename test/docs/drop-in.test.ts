// What users and tools of Kruise Rollouts rely on, line by line, and the tests that prove it.

import { expect, test } from 'vitest'

import { read } from './markdown.ts'

type Proof = readonly [file: string, ...titles: readonly string[]]

/** What docs/kruise.md says is the same. */
const proofs: Readonly<Record<string, readonly Proof[]>> = {
  'status paths, columns and enums': [
    ['cluster/drop-in', 'told in the words of the API: a release'],
    [
      'cluster/api',
      'status shows in the columns, and can be approved as kubectl-kruise does',
      'a status must be whole and known',
    ],
  ],
  'approve and jump are patches of the status, and none is lost': [
    ['cluster/drop-in', 'an approval is never lost', 'a jump counts while a step is on its way'],
    ['cluster/steps', 'a jump goes forward over steps, and back without taking pods away'],
  ],
  'the next step, the conditions and their reasons': [
    ['cluster/drop-in', 'told in the words of the API: a release'],
    ['cluster/lifecycle', 'a Rollout that is disabled mid-release lets the rest go'],
  ],
  'an edit is held when it is admitted': [
    ['cluster/drop-in', 'held in the answer to the edit'],
    ['cluster/kruise-kinds', 'what is edited while nobody of ours is alive is held'],
  ],
  'the `-canary` Service and Ingress, what they select and carry, what a script is given and says':
    [
      ['cluster/ingress', 'requests follow the pods step by step, and nothing is left at the end'],
      ['cluster/requests', 'requests follow the pods step by step, and nothing is left at the end'],
      ['cluster/mesh', 'a kind that was registered is moved by a script of the user’s own'],
      ['../core/traffic/ingress', 'the script is given what one for Kruise Rollouts is'],
      ['../core/traffic/network-router', 'the script is asked, its word is written'],
      ['../lua/library', 'a share of the requests', 'matches, the last one first'],
    ],
  'labels of workloads, and of the second Deployment': [
    ['cluster/drop-in', 'labels say the stable revision'],
  ],
  'blue-green: constants, recorded values with their types': [
    ['cluster/blue-green', 'step by step, and the old side leaves at the end'],
    ['../core/workload/blue-green', 'an edit starts its first new pods beside all old ones'],
  ],
  'labels of pods, holes that are filled, another name in the middle': [
    ['cluster/drop-in', 'carry its name and their step, also after a scaling'],
    ['cluster/kind-contract.ts', 'the new pods are labelled, also those that come later'],
  ],
  'a step lets out what it says, and keeps its share when scaled': [
    ['cluster/steps', 'numbers and percents let out as many pods as they say'],
    ['cluster/scaling', 'kubectl scale keeps the share of every step'],
  ],
  'a second Rollout, and another number of steps, are refused': [
    [
      'cluster/refusals',
      'the same workload by an edit of another Rollout',
      'another number of steps',
    ],
    ['../core/admission/validation', 'while a release runs, nobody may change %s'],
  ],
  'Healthy and Disabled within seconds': [
    ['scenarios/at-once', 'a disabled one has given the workload back, in no time'],
  ],
  'v1alpha1 is created, read, written and approved': [
    [
      'cluster/older-api',
      'a whole release, as the addon of KubeVela writes its Rollout',
      'without a style the new pods run in a second Deployment',
    ],
  ],
  'a second Deployment never shrinks': [
    ['cluster/canary-style', 'scaling down and jumping back take none away'],
  ],
  'blue-green: a third version waits, and so does the last step': [
    [
      'cluster/blue-green',
      'a third version moves nothing until the second or the first one is back',
    ],
    ['../core/workload/blue-green', 'a last step of 100% is not the end'],
  ],
  'no broken pod is tolerated unless failureThreshold says so': [
    ['cluster/kind-contract.ts', 'a broken version stops at the step'],
    [
      'cluster/canary-style',
      'goes on with broken pods that the owner tolerates, and waits for others',
    ],
  ],
  'a last step of 10 of 10 waits, one of 100% does not': [
    ['cluster/steps', 'a last step of 10 of 10 pods waits for approval, one of 100% does not'],
  ],
}

test.each(Object.entries(proofs))('%s: its tests are there', (_, each) => {
  for (const [file, ...titles] of each) {
    const text = read(`test/${file.endsWith('.ts') ? file : `${file}.test.ts`}`)
    for (const title of titles) expect(text, file).toContain(title)
  }
})
