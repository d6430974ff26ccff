import { expect, test } from 'vitest'

import { ABORT } from '#api/names.ts'
import type { Rollout as RolloutObject } from '#api/rollout.generated.ts'
import type { Rollout } from '../rollout/model.ts'
import type { Hold } from '../workload/hold.ts'
import { abortedWarnings, holdWarnings, notHeldWarnings, ownerWarnings } from './warnings.ts'
import { rollbackWarnings } from './warnings.ts'
import { rolloutWarnings } from './rollout-warnings.ts'

const long = 'a'.repeat(63)
const rollout: Rollout = {
  name: 'web-rollout',
  namespace: 'shop',
  uid: 'uid',
  ref: { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'web' },
  steps: [{ replicas: 1 }, { replicas: '50%', pauseSeconds: 60 }, { replicas: '100%' }],
  style: 'partition',
  failureThreshold: 0,
  paused: false,
  disabled: false,
  planHash: 'plan',
}
const base = {
  rollout,
  release: 'abc-2',
  replicas: 10,
  n: 1,
  peak: 11,
  adapter: {},
  caveats: [],
  paused: false,
  again: false,
  noSide: false,
  goesBack: false,
}
const hold: Hold = { mode: 'wave', pods: 1, budget: '10%', surge: '0%', rolloutId: 'abc-2', seq: 1 }

test('the plan: pods, what it waits for, the peak, and the commands that go on and back', () => {
  const [plan, approve, abort] = holdWarnings(base)
  expect(plan).toBe(
    'release starts with step 1 of 3: 1 of 10 pods, then waits for approval; peak 11 pods',
  )
  expect(approve).toContain('kubectl -n shop patch rollout web-rollout --subresource=status')
  expect(abort).toContain('kubectl -n shop annotate rollout web-rollout')
})

test('a step that ends by time needs no approval', () => {
  const timed = { ...rollout, steps: rollout.steps.slice(1) }
  const lines = holdWarnings({ ...base, rollout: timed })
  expect(lines[0]).toContain('then waits 60 s')
  expect(lines.join()).not.toContain('approve')
})

test('a first step that is the last one waits for nobody', () => {
  const all = { ...rollout, steps: [{ replicas: '100%' }] }
  const lines = holdWarnings({ ...base, rollout: all, n: 10 })
  expect(lines[0]).toContain('step 1 of 1: 10 of 10 pods, then done')
  expect(lines.join()).not.toContain('approve')
})

test('a third version says that the release starts again', () => {
  expect(holdWarnings({ ...base, again: true })[0]).toMatch(/^release starts again with step 1/)
})

test('what is in the way of its requests is told in the words of its Rollout', () => {
  const waits =
    'the next release waits before step 2, since requests cannot be moved: HTTPRoute web is gone'
  const lines = holdWarnings({ ...base, blocked: waits })
  expect(lines).toContain(`its Rollout says: ${waits}`)
  expect(holdWarnings(base).join()).not.toContain('its Rollout says')
})

test('where nothing starts no plan is told, but what goes on', () => {
  const lines = holdWarnings({ ...base, again: true, noSide: true })
  expect(lines[0]).toMatch(/^held at 0 new pods while /)
  expect(lines.join()).not.toContain('approve')
  expect(lines.slice(-2)).toEqual([
    'take all pods back with: kubectl -n shop annotate rollout web-rollout --overwrite sluice.dev/abort=abc-2',
    'then start this version with: kubectl -n shop annotate rollout web-rollout sluice.dev/abort-',
  ])
})

const deployed = { ...rollout.ref, namespace: undefined }
const revision = String.raw`-o jsonpath='{..deployment\.kubernetes\.io/revision}'`

test.each([
  [deployed, `deployment/web --to-revision=$(kubectl -n shop get rs web-abc ${revision})`],
  [
    { ...deployed, kind: 'DaemonSet' },
    "daemonset/web --to-revision=$(kubectl -n shop get controllerrevision web-abc -o jsonpath='{.revision}')",
  ],
])('whoever deletes a Rollout is told the way back to the stable revision', (ref, way) => {
  const told = rolloutWarnings({
    apiVersion: 'rollouts.kruise.io/v1beta1',
    kind: 'Rollout',
    metadata: { name: 'web', namespace: 'shop' },
    spec: { workloadRef: ref, strategy: {} },
    status: { phase: 'Progressing', canaryStatus: { stableRevision: 'abc' } },
  } as unknown as RolloutObject)
  expect(told[1]).toBe(`to go back from there: kubectl -n shop rollout undo ${way}`)
})

test('whoever writes an abort that is there already is told that it aborts nothing', () => {
  const of = (value: string, conditions: readonly object[] = []) =>
    ({
      metadata: { name: 'web', namespace: 'shop', annotations: { [ABORT]: value } },
      spec: { workloadRef: deployed, strategy: {} },
      status: { phase: 'Progressing', conditions },
    }) as unknown as RolloutObject
  expect(rolloutWarnings(of('true'), of('true'))).toEqual([
    'sluice.dev/abort has this value since before the edit, and aborts nothing: write another one: kubectl -n shop annotate rollout web --overwrite sluice.dev/abort=$(date +%s)',
  ])
  const others = { ...of('true'), spec: { ...of('true').spec, disabled: false } }
  const told = [
    rolloutWarnings(of('false'), of('true')),
    rolloutWarnings(of('true'), others),
    rolloutWarnings(
      { ...of('true'), status: { ...of('true').status!, phase: 'Healthy' } },
      of('true'),
    ),
  ]
  expect(told.flat()).toEqual([])
  const going = [
    { type: 'Progressing', status: 'True', reason: 'Cancelling' },
    { type: 'Stalled', status: 'True', reason: 'Aborted' },
  ]
  for (const each of going) {
    expect(rolloutWarnings(of('true', [each]), of('true'))).toEqual([])
  }
})

test.each([
  ['the Rollout is paused', { ...base, rollout: { ...rollout, paused: true } }, 'is paused'],
  ['the workload is paused', { ...base, paused: true }, 'rollout resume'],
])('where %s no new pod starts, and the command that goes on is told', (_, plan, words) => {
  const lines = holdWarnings(plan)
  expect(lines.join('\n')).toContain('no new pod starts')
  expect(lines.join('\n')).toContain(words)
})

test('an edit that is not held is never silent', () => {
  expect(notHeldWarnings('it is Tuesday')).toEqual([
    'not held: it is Tuesday; the edit goes out now, without steps, by the strategy of the workload',
  ])
})

test('a pause, its end and other values of the owner each have their words', () => {
  expect(ownerWarnings(false, true, { rollout })[0]).toContain('is frozen until')
  expect(ownerWarnings(true, false, { rollout })[0]).toContain('goes on')
  expect(ownerWarnings(false, false, { rollout })[0]).toMatch(/^recorded/)
})

test('who resumes what he has not paused is told what goes on', () => {
  const aborted = { ...hold, mode: 'aborted' as const }
  expect(abortedWarnings(rollout, aborted, true)[0]).toContain('annotate rollout web-rollout')
  expect(abortedWarnings(rollout, { ...hold, mode: 'stop' }, true)).toHaveLength(1)
  expect(abortedWarnings(rollout, aborted, false)).toEqual([])
  expect(abortedWarnings(rollout, hold, true)).toEqual([])
})

test('no line is longer than an API server passes on, with names of usual length', () => {
  const named = { ...rollout, name: long.slice(0, 50), namespace: long.slice(0, 30) }
  const lines = [
    ...holdWarnings({ ...base, rollout: named }),
    ...rollbackWarnings(hold, true),
    ...ownerWarnings(false, true, { rollout: named }),
    ...abortedWarnings(named, { ...hold, mode: 'aborted' }, true),
  ]
  for (const line of lines) expect(line.length, line).toBeLessThanOrEqual(256)
})
