import { expect, test } from 'vitest'

import {
  KRUISE_CONTROL,
  KRUISE_CONTROLLED,
  KRUISE_DAEMON_CONTROL,
  KRUISE_DAEMON_REVISION,
  KRUISE_DAEMON_STRATEGY,
  KRUISE_ORIGINAL,
  KRUISE_PROGRESSING,
  KRUISE_STRATEGY,
} from '#api/names.ts'
import type { DaemonSet, Deployment, DeploymentSpec, KubeObject } from '#api/kubernetes.ts'
import { leftByKruise, leftOnDelete, leftPartition } from './kruise.ts'
import { inRollingUpdate, inStrategy } from './partition-places.ts'

const progressing = { [KRUISE_PROGRESSING]: '{"rolloutName":"web"}' }
const recreate: Partial<DeploymentSpec> = { paused: true, strategy: { type: 'Recreate' } }

function web(
  spec: Partial<DeploymentSpec>,
  annotations: Readonly<Record<string, string>> = {},
  labels: Readonly<Record<string, string>> = {},
): Deployment {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'web', annotations, labels },
    spec: { template: { spec: {} }, ...spec } as DeploymentSpec,
  }
}

function spec(object: Deployment): unknown {
  return (JSON.parse(leftByKruise(object)!.patch) as { readonly spec: unknown }).spec
}

test('held by Recreate: the patch has the strategy that it remembers, and takes its marks away', () => {
  const strategy = { rollingStyle: 'Partition', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } }
  const annotations = {
    ...progressing,
    [KRUISE_STRATEGY]: JSON.stringify(strategy),
    [KRUISE_CONTROL]: '{"kind":"BatchRelease","name":"web-release"}',
    'team.example/owner': 'blue',
  }
  const left = leftByKruise(web(recreate, annotations, { [KRUISE_CONTROLLED]: 'true', app: 'web' }))
  expect(left).toMatchObject({ recreates: true, batchRelease: 'web-release' })
  expect(JSON.parse(left!.patch)).toEqual({
    metadata: {
      labels: { [KRUISE_CONTROLLED]: null },
      annotations: {
        [KRUISE_PROGRESSING]: null,
        [KRUISE_STRATEGY]: null,
        [KRUISE_CONTROL]: null,
      },
    },
    spec: {
      paused: null,
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
    },
  })
})

test.each([
  ['damaged', '{"rollingUpdate":'],
  ['no amounts', '{"rollingUpdate":{"maxUnavailable":"\'; reboot","maxSurge":-1}}'],
  ['another kind of thing', '[]'],
])('%s: the API’s own default, and nothing of what was written', (_, text) => {
  const object = web(recreate, { [KRUISE_STRATEGY]: text })
  const rollingUpdate = { maxUnavailable: '25%', maxSurge: '25%' }
  expect(spec(object)).toEqual({ paused: null, strategy: { type: 'RollingUpdate', rollingUpdate } })
})

test('only paused so far: the strategy is the owner’s still', () => {
  const strategy = { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } }
  expect(spec(web({ paused: true, strategy }, progressing))).toEqual({ paused: null })
})

test('blue-green: all that it remembers comes back', () => {
  const armed = {
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: '100%' } },
    minReadySeconds: 2147483646,
    progressDeadlineSeconds: 2147483647,
  }
  const original = { maxUnavailable: '10%', maxSurge: 2, progressDeadlineSeconds: 90 }
  const annotations = { ...progressing, [KRUISE_ORIGINAL]: JSON.stringify(original) }
  expect(spec(web(armed, annotations))).toEqual({
    paused: null,
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '10%', maxSurge: 2 } },
    minReadySeconds: 0,
    progressDeadlineSeconds: 90,
  })
})

test.each([
  ['Recreate of the owner', web({ strategy: { type: 'Recreate' } })],
  ['a pause of the owner', web({ paused: true })],
  ['marks without a hold', web({}, progressing)],
  ['a blue-green release of ours', web({ paused: true }, { [KRUISE_ORIGINAL]: '{}' })],
  ['our own hold', web({ paused: true }, { ...progressing, 'sluice.dev/hold': hold() })],
])('%s is nothing that it has left', (_, object) => {
  expect(leftByKruise(object)).toBeUndefined()
})

function hold(): string {
  return 'mode=stop;pods=1;budget=0%;surge=0%;rollout-id=a-2;seq=1'
}

function other(annotations: Readonly<Record<string, string>>, updateStrategy = {}): DaemonSet {
  const metadata = { name: 'web', annotations }
  const spec = { template: { spec: {} }, updateStrategy }
  return { apiVersion: 'apps/v1', kind: 'DaemonSet', metadata, spec } as KubeObject as DaemonSet
}

test('a partition: without one everybody is let go, and whose release it was is told', () => {
  const control = { [KRUISE_CONTROL]: '{"kind":"BatchRelease","name":"web-release"}' }
  const left = leftPartition(other({ ...progressing, ...control }), inRollingUpdate, true)
  expect(left).toMatchObject({ recreates: false, batchRelease: 'web-release' })
  expect(JSON.parse(left!.patch)).toEqual({
    metadata: { annotations: { [KRUISE_PROGRESSING]: null, [KRUISE_CONTROL]: null } },
    spec: { updateStrategy: { rollingUpdate: { partition: null } } },
  })
})

test('a CloneSet, blue-green: all that it remembers comes back', () => {
  const patchOf = (original: object) => {
    const annotations = { ...progressing, [KRUISE_ORIGINAL]: JSON.stringify(original) }
    return JSON.parse(leftPartition(other(annotations), inStrategy, false)!.patch) as unknown
  }
  expect(patchOf({ maxUnavailable: 2, maxSurge: '10%', minReadySeconds: 5 })).toMatchObject({
    spec: {
      minReadySeconds: 5,
      updateStrategy: { partition: null, maxUnavailable: 2, maxSurge: '10%' },
    },
  })
  expect(patchOf({})).toMatchObject({
    spec: { minReadySeconds: 0, updateStrategy: { maxUnavailable: '20%', maxSurge: 0 } },
  })
})

test.each([
  ['RollingUpdate', 'RollingUpdate'],
  ['OnDelete', 'OnDelete'],
  ['nonsense', 'RollingUpdate'],
])('a DaemonSet whose strategy it remembers as %s', (remembered, type) => {
  const annotations = {
    [KRUISE_DAEMON_STRATEGY]: remembered,
    [KRUISE_DAEMON_REVISION]: '{}',
    [KRUISE_DAEMON_CONTROL]: '{}',
  }
  expect(JSON.parse(leftOnDelete(other(annotations, { type: 'OnDelete' }))!.patch)).toEqual({
    metadata: {
      annotations: Object.fromEntries(Object.keys(annotations).map(key => [key, null])),
    },
    spec: { updateStrategy: { type } },
  })
})

test('of other kinds neither the owner’s own fields nor marks alone, nor our hold, are left by it', () => {
  const ours = other({ ...progressing, 'sluice.dev/hold': hold() }, { type: 'OnDelete' })
  const found = [
    leftPartition(other({}), inRollingUpdate, true),
    leftPartition(other(progressing), inRollingUpdate, false),
    leftPartition(ours, inRollingUpdate, true),
    leftOnDelete(other({}, { type: 'OnDelete' })),
    leftOnDelete(other(progressing, { type: 'RollingUpdate' })),
    leftOnDelete(ours),
  ]
  expect(found).toEqual(found.map(() => undefined))
})
