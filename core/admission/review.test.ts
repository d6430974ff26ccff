// What admission makes of a write to a Deployment, write by write. The laws that hold for all writes
// are in test/contracts.

import { describe, expect, test } from 'vitest'

import type { Deployment, DeploymentSpec, KubeObject } from '#api/kubernetes.ts'
import {
  CAUGHT,
  ESCAPE,
  HOLD,
  OWN_ROLLOUT_ID,
  RECORD,
  ROLLOUT_ID,
  STABLE_TEMPLATE,
  WAVE,
  WORKLOAD_TYPE,
} from '#api/names.ts'
import type { Rollout } from '../rollout/model.ts'
import type { WorkloadAdapter } from '../workload/adapter.ts'
import { canaryDeployment } from '../workload/canary-deployment.ts'
import { deployment as adapter } from '../workload/deployment.ts'
import { formatHold, holdOf, waveAfter } from '../workload/hold.ts'
import type { Hold } from '../workload/hold.ts'
import { recordOf } from '../workload/record.ts'
import { plainestHold, reviewWorkload } from './review.ts'
import type { Answer } from './review.ts'
import { threeSteps } from '../../test/world/three-steps.ts'

const rollout = threeSteps
/** A first step of more pods than may run beside the others. */
const four = [{ replicas: 4 }, { replicas: '100%' }]

const own: Partial<DeploymentSpec> = {
  strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '25%', maxSurge: '25%' } },
  progressDeadlineSeconds: 600,
}

const armed = {
  strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '00%', maxSurge: '01%' } },
  minReadySeconds: 2147483646,
  progressDeadlineSeconds: 2147483647,
}

const whole = { replicas: 10, updatedReplicas: 10, readyReplicas: 10, observedGeneration: 9 }

function web(version: string, spec: Partial<DeploymentSpec> = {}): Deployment {
  const containers = [{ name: 'app', image: `app:${version}` }]
  const template = { metadata: { labels: { app: 'web' } }, spec: { containers } }
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      name: 'web',
      namespace: 'shop',
      generation: 4,
      labels: { [WORKLOAD_TYPE]: 'deployment' },
    },
    spec: { replicas: 10, template, ...own, ...spec },
    status: whole,
  }
}

interface Said {
  readonly adapter?: WorkloadAdapter
  readonly before?: Deployment
  readonly rollout?: Rollout | undefined
  readonly fromController?: boolean
}

function review(object: KubeObject, said: Said = {}): Answer & { readonly spec: DeploymentSpec } {
  const asked = { adapter, object, before: web('1'), rollout, fromController: false, ...said }
  const { rollout: named, ...rest } = asked
  const answer = reviewWorkload(named ? { ...rest, rollout: named } : rest)
  return { ...answer, spec: (answer.object as Deployment).spec }
}

function held(version = '2'): Deployment {
  const { object } = review(web(version))
  return { ...object, metadata: { ...object.metadata, generation: 5 } } as Deployment
}

function withHold(object: Deployment, change: Partial<Hold>): Deployment {
  const hold = { ...holdOf(object)!, ...change }
  const annotations = { ...object.metadata.annotations, [HOLD]: formatHold(hold) }
  const { [WAVE]: _, ...labels } = { ...object.metadata.labels }
  return { ...object, metadata: { ...object.metadata, labels, annotations } }
}

/** As our controller writes it. */
function withWave(object: Deployment, change: Partial<Hold>): Deployment {
  const hold = holdOf(object)!
  const wave = waveAfter(hold, { ...hold, seq: hold.seq + 1, ...change })!
  const labels = { ...object.metadata.labels, [WAVE]: wave }
  return { ...object, metadata: { ...object.metadata, labels } }
}

function withSpec(object: Deployment, spec: Partial<DeploymentSpec>): Deployment {
  return { ...object, spec: { ...object.spec, ...spec } }
}

function annotated(object: Deployment, annotations: Record<string, string>): Deployment {
  return { ...object, metadata: { ...object.metadata, annotations } }
}

describe('an edit of a Deployment whose new pods run in a second one', () => {
  const canary: Rollout = { ...rollout, style: 'canary' }
  const paused = {
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '01%', maxSurge: '00%' } },
    progressDeadlineSeconds: 600,
    paused: true,
  }
  const first = review(web('2'), { rollout: canary })
  const stored = {
    ...first.object,
    metadata: { ...first.object.metadata, generation: 5 },
  } as Deployment

  test('pauses it, and lets the second one be made', () => {
    expect(first.spec).toEqual({ ...web('2').spec, ...paused })
    expect(holdOf(first.object)).toMatchObject({ mode: 'wave', style: 'canary', pods: 1 })
    expect(first.warnings[0]).toContain('1 of 10 pods, then waits for approval; peak 11 pods')
    expect(first.warnings.join()).toContain(
      'clients such as helm --wait take it for finished while it is held',
    )
  })

  test('looked at again it is the same, and a resume does not let it go', () => {
    const again = review(first.object, { rollout: canary })
    expect(again.object).toEqual(first.object)
    const by = { adapter: canaryDeployment, before: stored, rollout: canary }
    expect(review(withSpec(stored, { paused: false }), by).spec.paused).toBe(true)
  })

  test('keeps its style for a third version, whatever the Rollout says by then', () => {
    const { object } = review(withSpec(stored, { template: web('3').spec.template }), {
      adapter: canaryDeployment,
      before: stored,
    })
    expect(holdOf(object)).toMatchObject({ style: 'canary', seq: 2 })
    expect((object as Deployment).spec.paused).toBe(true)
  })

  test('the stable template gives it back at once', () => {
    const said = { adapter: canaryDeployment, before: stored, rollout: canary }
    const { outcome, spec } = review(withSpec(stored, { template: web('1').spec.template }), said)
    expect(outcome).toBe('restored')
    expect(spec).toEqual(web('1').spec)
  })
})

describe('an edit', () => {
  test('is held at the first step in the same write', () => {
    const { outcome, object, spec } = review(web('2'))
    expect(outcome).toBe('held')
    expect(spec).toEqual({ ...web('2').spec, ...armed })
    expect(holdOf(object)).toMatchObject({
      mode: 'wave',
      pods: 1,
      budget: '0%',
      surge: '1%',
      seq: 1,
    })
    expect(recordOf(object)).toMatchObject({
      owner: { ...own, minReadySeconds: 0, paused: false },
      rollout: 'web-rollout',
      rolloutUid: 'uid-rollout',
      stable: adapter.fingerprint(web('1')),
    })
  })

  test('is named after its version and generation, or as its owner says', () => {
    const { object } = review(web('2'))
    const id = object.metadata.annotations?.[OWN_ROLLOUT_ID]
    expect(id).toBe(`${adapter.fingerprint(web('2')).slice(0, 10)}-5`)
    expect(holdOf(object)?.rolloutId).toBe(id)
    const labels = { ...web('2').metadata.labels, [ROLLOUT_ID]: 'r7' }
    const named = review({ ...web('2'), metadata: { ...web('2').metadata, labels } })
    expect(named.object.metadata.annotations).not.toHaveProperty([OWN_ROLLOUT_ID])
  })

  test.each([
    [10, '010%', '021%'],
    [9, '010%', '021%'],
    [8, '00%', '021%'],
    [0, '00%', '021%'],
  ])('with %i of 10 pods Ready takes nobody else away: %s and %s', (ready, budget, surge) => {
    const before = { ...web('1'), status: { ...whole, readyReplicas: ready } }
    const object: Deployment = { ...web('2'), status: { ...whole, readyReplicas: ready } }
    const { spec } = review(object, { before, rollout: { ...rollout, steps: four } })
    expect(spec.strategy?.rollingUpdate).toEqual({ maxUnavailable: budget, maxSurge: surge })
  })

  test('starts no pod where nobody may be missing and none be added', () => {
    const own = {
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } },
    }
    const before = { ...web('1', own), status: { ...whole, readyReplicas: 9 } }
    const { object, spec } = review(web('2', own), { before })
    expect(holdOf(object)?.mode).toBe('stop')
    expect(spec.paused).toBe(true)
  })

  test('by a PUT that carries no status is judged by the status that is stored', () => {
    const { status: _, ...manifest } = web('2')
    const { spec } = review(manifest, { rollout: { ...rollout, steps: four } })
    expect(spec.strategy?.rollingUpdate?.maxUnavailable).toBe('010%')
  })

  test('under a paused Rollout starts no pod', () => {
    const { spec } = review(web('2'), { rollout: { ...rollout, paused: true } })
    expect(spec.paused).toBe(true)
    expect(spec.strategy?.rollingUpdate).toEqual({ maxUnavailable: '01%', maxSurge: '00%' })
  })

  test('of a workload that its owner paused stays paused, and the pause is the owner’s', () => {
    const { object, spec } = review(web('2', { paused: true }))
    expect(spec.paused).toBe(true)
    expect(holdOf(object)?.mode).toBe('stop')
    expect(recordOf(object)?.owner).toMatchObject({ paused: true })
  })

  test.each<readonly [string, Said, Deployment]>([
    ['no Rollout names it', { rollout: undefined }, web('2')],
    ['Rollout web-rollout is disabled', { rollout: { ...rollout, disabled: true } }, web('2')],
    ['its strategy is Recreate', {}, web('2', { strategy: { type: 'Recreate' } })],
    [
      'Rollout web-rollout is not followed: spec.x: no',
      { rollout: { ...rollout, refused: { reason: 'Unsupported', message: 'spec.x: no' } } },
      web('2'),
    ],
  ])('is not held, and told so: %s', (reason, said, object) => {
    const { outcome, warnings, ...answer } = review(object, said)
    expect(outcome).toBe('notHeld')
    expect(answer.spec).toEqual(object.spec)
    expect(warnings.join()).toContain(`not held: ${reason}`)
    expect(warnings.join()).toContain(
      'the edit goes out now, without steps, by the strategy of the workload',
    )
  })

  test('of a workload without pods is not held', () => {
    const { outcome, warnings } = review(web('2', { replicas: 0 }))
    expect(outcome).toBe('notHeld')
    expect(warnings).toEqual(['no pod runs: scaling up starts the new version at once'])
  })

  test('that brings the first pods as well is not held: all of them come up new', () => {
    const before = web('1', { replicas: 0 })
    expect(review(web('2'), { before }).outcome).toBe('notHeld')
  })

  test.each<readonly [string, Partial<DeploymentSpec>]>([
    [
      'both amounts 0',
      { strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 0, maxSurge: 0 } } },
    ],
    ['a deadline below minReadySeconds', { minReadySeconds: 700 }],
    ['a negative minReadySeconds', { minReadySeconds: -5 }],
  ])('that is not valid is left for the API server to refuse: %s', (_, spec) => {
    expect(review(web('2', spec)).spec).toMatchObject(spec)
    expect(review(withSpec(held(), spec), { before: held() }).spec).toMatchObject(spec)
  })
})

describe('a write to a held workload', () => {
  test('that changes nothing changes nothing', () => {
    const { outcome, object, warnings } = review(held(), { before: held() })
    expect([outcome, warnings]).toEqual(['projected', []])
    expect(object).toEqual(held())
  })

  test('by a manifest without our annotations is projected again', () => {
    const { object } = review(web('2'), { before: held() })
    expect(object.metadata.annotations).toEqual(held().metadata.annotations)
    expect((object as Deployment).spec).toEqual(held().spec)
  })

  test('with the old template gives everything back', () => {
    const { outcome, object, warnings } = review(web('1'), { before: held() })
    expect(outcome).toBe('restored')
    expect((object as Deployment).spec).toEqual(web('1').spec)
    expect(object.metadata.annotations).toEqual({})
    expect(warnings[0]).toMatch(/^rolling back to the stable template/)
  })

  test('with the old template clears the owner’s pause, and says so', () => {
    const before = review(withSpec(held(), { paused: true }), { before: held() })
      .object as Deployment
    const { spec, warnings } = review(withSpec(before, { template: web('1').spec.template }), {
      before,
    })
    expect(spec).toEqual(web('1').spec)
    expect(warnings).toContain('spec.paused is set to false, or the rollback could not run')
  })

  test('with a third template is held again from step 1, and stable stays what it was', () => {
    const before = withHold(held(), { budget: '50%', seq: 3 })
    const { outcome, object, warnings } = review(web('3'), { before })
    expect(outcome).toBe('held')
    expect(holdOf(object)).toMatchObject({ budget: '0%', surge: '1%', seq: 4 })
    expect(recordOf(object)).toEqual(recordOf(held()))
    expect(warnings[0]).toMatch(/^release starts again with step 1 of 3/)
  })

  test('with a third template while the wave before is being carried out begins with nobody', () => {
    const status = { readyReplicas: 10, replicas: 10, observedGeneration: 4 }
    const before = withHold({ ...held(), status }, { surge: '30%' })
    // Those beside the others, whom the status does not count yet, stay.
    const begun = { mode: 'stop', pods: 1, surge: '30%' }
    expect(holdOf(review(web('3'), { before }).object)).toMatchObject(begun)
  })

  test('with a version whose pods may run lets one out at most before they are counted', () => {
    const third = review(web('3'), { before: held() }).object as Deployment
    expect(holdOf(third)).toMatchObject({ mode: 'wave', budget: '0%', surge: '1%' })
    const again = review(web('2'), { before: third, rollout: { ...rollout, steps: four } })
    expect(holdOf(again.object)).toMatchObject({ mode: 'wave', budget: '10%', surge: '0%' })
  })

  test('with a version whose pods may run lets one out beside where nobody may be missing', () => {
    const status = { ...whole, readyReplicas: 8 }
    const third = review(web('3'), { before: held() }).object as Deployment
    const again = review(web('2'), { before: { ...third, status } })
    expect(holdOf(again.object)).toMatchObject({ mode: 'wave', budget: '0%', surge: '1%' })
    expect(again.spec.paused).toBeUndefined()
  })

  test('in the middle of a native rollout lets one out at most before all are counted', () => {
    const status = { ...whole, updatedReplicas: 4 }
    const amid = review(web('2'), { before: { ...web('1'), status } }).object as Deployment
    expect(holdOf(amid)).toMatchObject({ mode: 'wave', budget: '10%', between: ['*'] })
    const third = review(web('3'), { before: { ...amid, status: whole } }).object as Deployment
    expect(holdOf(third)).toMatchObject({ mode: 'wave', budget: '10%', surge: '0%' })
  })

  test('with a new template lets one out at most after more edits than are remembered', () => {
    const edits = Array.from({ length: 21 }, (_, n) => String(n + 3))
    const last = edits.reduce(
      (before, image) => review(web(image), { before }).object as Deployment,
      held(),
    )
    expect(holdOf(last)?.between).toHaveLength(20)
    expect(holdOf(last)).toMatchObject({ mode: 'wave', budget: '10%', surge: '0%' })
  })

  test('with other values of the owner records them, and moves nothing', () => {
    const rollingUpdate = { maxUnavailable: '7%', maxSurge: '9%' }
    const edit = { strategy: { type: 'RollingUpdate', rollingUpdate }, minReadySeconds: 30 }
    const { object, spec, warnings } = review(withSpec(held(), edit), { before: held() })
    expect(spec).toEqual(held().spec)
    expect(recordOf(object)?.owner).toMatchObject(edit)
    expect(warnings[0]).toMatch(/^recorded/)
    const back = review(web('1'), { before: object as Deployment })
    // A manifest names what its owner wants now: his edit counts where the manifest is silent.
    expect(back.spec.strategy).toEqual(own.strategy)
  })

  test('keeps an owner’s edit when another webhook changes the object after us', () => {
    const edited = withSpec(held(), { minReadySeconds: 30 })
    const { object } = review(edited, { before: held() })
    const labels = { ...object.metadata.labels, sidecar: 'yes' }
    const changed = { ...object, metadata: { ...object.metadata, labels } }
    expect(recordOf(review(changed, { before: held() }).object)?.owner).toMatchObject({
      minReadySeconds: 30,
    })
  })

  test('cannot bring an older record back with the hold that stands', () => {
    const { object } = review(withSpec(held(), { minReadySeconds: 30 }), { before: held() })
    const { object: after } = review(held(), { before: object as Deployment })
    expect(recordOf(after)?.owner).toMatchObject({ minReadySeconds: 30 })
  })

  test('after another webhook has pinned the image is held with that image', () => {
    const { object } = review(web('2'))
    const pinned = withSpec(object as Deployment, { template: web('2@sha256:1').spec.template })
    const again = review(pinned)
    expect(again.spec).toEqual({ ...web('2@sha256:1').spec, ...armed })
    expect(recordOf(again.object)?.owner).toEqual(recordOf(object)?.owner)
  })

  test('cannot take our label away', () => {
    const { labels: _, ...metadata } = web('2').metadata
    const { object } = review({ ...web('2'), metadata }, { before: held() })
    expect(object.metadata.labels).toEqual({ [WORKLOAD_TYPE]: 'deployment' })
  })
})

describe('a hold that comes with a write', () => {
  const next = () => withHold(held(), { budget: '50%', seq: 2 })

  test('counts from our controller as the next one', () => {
    const { spec } = review(next(), { before: held(), fromController: true })
    expect(spec.strategy?.rollingUpdate?.maxUnavailable).toBe('050%')
  })

  test.each<readonly [string, Deployment, boolean]>([
    ['from anybody else', next(), false],
    ['when it is older', withHold(held(), { budget: '50%', seq: 1 }), true],
    ['when it skips one', withHold(held(), { budget: '50%', seq: 3 }), true],
    ['of another release', withHold(held(), { budget: '50%', seq: 2, rolloutId: 'x-9' }), true],
    [
      'that is not readable',
      annotated(held(), { ...held().metadata.annotations, [HOLD]: 'mode=wave' }),
      true,
    ],
    ['that lets go, from anybody else', withHold(held(), { mode: 'released', seq: 2 }), false],
  ])('does nothing %s', (_, object, fromController) => {
    const answer = review(object, { before: held(), fromController })
    expect(answer.spec).toEqual(held().spec)
    expect(holdOf(answer.object)).toEqual(holdOf(held()))
  })

  test('and lets go gives the owner’s values back, without a trace', () => {
    const released = withHold(held(), { mode: 'released', seq: 2 })
    const { object, spec } = review(released, { before: held(), fromController: true })
    expect(spec).toEqual(web('2').spec)
    expect(object.metadata.annotations).toEqual({})
    const again = review(object, { before: held(), fromController: true })
    expect(again.object).toEqual(object)
  })

  test('and waits to let go does not pass a new template through', () => {
    const before = withHold(held(), { mode: 'released', seq: 2 })
    expect(review(web('3'), { before }).outcome).toBe('held')
  })

  test('and waits to let go makes the old template a release: all are of the new one by now', () => {
    const { replicas = 0 } = held().spec
    const status = { observedGeneration: 5, replicas, updatedReplicas: replicas }
    const before = { ...withHold(held(), { mode: 'released', seq: 2 }), status }
    const { outcome, object } = review(web('1'), { before })
    expect(outcome).toBe('held')
    expect(recordOf(object)?.stable).toBe(adapter.fingerprint(web('2')))
  })

  test.each([
    ['held', held()],
    ['with a later hold', next()],
  ])('is taken out of a copy that is created: %s', (_, copy) => {
    const { before: _before, ...asked } = {
      adapter,
      object: copy,
      before: undefined,
      fromController: false,
    }
    const answer = reviewWorkload(asked)
    expect(answer.outcome).toBe('cleaned')
    expect((answer.object as Deployment).spec).toEqual(web('2').spec)
    expect(answer.object.metadata.annotations).toEqual({})
  })

  test('is taken out of a copy that is put over a workload that is not held', () => {
    const { metadata } = web('2')
    const later = { ...web('2'), metadata: { ...metadata, generation: 9 } }
    const before = withSpec(later, { minReadySeconds: 7 })
    const { outcome, object, spec } = review(held(), { before })
    expect(outcome).toBe('cleaned')
    // The fields of a copy are no wish: what stands there is.
    expect(spec).toEqual(before.spec)
    expect(object.metadata.annotations).toEqual({})
  })
})

describe('how far a release has come', () => {
  const wave = { pods: '60%', budget: '60%' } as const
  const asked = (change: Partial<Hold> = wave) =>
    review(withWave(held(), change), { before: held(), fromController: true }).object as Deployment
  const on = ({ metadata }: KubeObject) => [metadata.labels?.[WAVE], metadata.annotations?.[HOLD]]

  test('is a label of our controller’s, and no annotation changes', () => {
    const object = asked()
    expect(object.metadata.annotations).toEqual(held().metadata.annotations)
    expect(object.metadata.labels).toHaveProperty([WAVE])
    expect(holdOf(object)).toMatchObject({ ...wave, seq: 2 })
    expect(object.spec.strategy?.rollingUpdate).toMatchObject({ maxUnavailable: '060%' })
  })

  test('is nobody else’s to say, nor to take away', () => {
    const before = asked()
    const finishing = withWave(before, { mode: 'finishing' })
    const { [WAVE]: _, ...labels } = { ...before.metadata.labels }
    const without = { ...before, metadata: { ...before.metadata, labels } }
    const whole = { ...web('2'), spec: before.spec }
    for (const object of [finishing, without, whole, withHold(finishing, { mode: 'released' })]) {
      const answer = review(object, { before })
      expect(on(answer.object)).toEqual(on(before))
      expect(answer.spec).toEqual(before.spec)
    }
    // A hold that has not come further has none.
    expect(on(review(withWave(held(), wave), { before: held() }).object)).toEqual(on(held()))
  })

  test('begins where an annotation tells it whole, as after what a label cannot say', () => {
    const before = withHold(held(), { pods: '30%', budget: '30%', seq: 7 })
    const { object } = review(withWave(before, wave), { before, fromController: true })
    expect(holdOf(object)).toMatchObject({ ...wave, seq: 8 })
    expect(object.metadata.annotations).toEqual(before.metadata.annotations)
    const whole = withHold(object as Deployment, { abortSeen: 'd1', seq: 9 })
    const last = review(whole, { before: object as Deployment, fromController: true }).object
    expect(on(last)).toEqual([undefined, whole.metadata.annotations![HOLD]])
  })

  test('goes with the release, and with another one', () => {
    const before = asked()
    const third = review(web('3'), { before }).object
    expect(on(third)).toEqual([undefined, expect.stringContaining('rollout-id=')])
    const over = review(withWave(before, { mode: 'released' }), { before, fromController: true })
    expect(on(over.object)).toEqual([undefined, undefined])
    expect(on(review(web('1'), { before }).object)).toEqual([undefined, undefined])
    // What was left of another release says nothing of the next.
    const left = { ...web('1').metadata, labels: { ...before.metadata.labels } }
    expect(on(review(web('2'), { before: { ...web('1'), metadata: left } }).object)[0]).toBe(
      undefined,
    )
  })

  test('counts over the owner’s edits in between', () => {
    const before = asked()
    const edited = review(withSpec(before, { minReadySeconds: 9 }), { before }).object as Deployment
    expect(holdOf(edited)).toMatchObject({ pods: '60%', seq: 3 })
    expect(edited.metadata.annotations![HOLD]).toBe(held().metadata.annotations![HOLD])
  })
})

test('a write to a workload that is not held is left as it is', () => {
  const object = annotated(withSpec(web('1'), { minReadySeconds: 3 }), { note: 'x' })
  expect(review(object)).toMatchObject({ outcome: 'untouched', object, warnings: [] })
})

test('the plainest hold needs no plan: paused, no surge, everything on record', () => {
  const { outcome, object } = plainestHold({
    adapter,
    object: web('2'),
    before: web('1'),
    rollout: { ...rollout, steps: [] },
    fromController: false,
  })
  expect(outcome).toBe('held')
  expect((object as Deployment).spec).toMatchObject({ paused: true, minReadySeconds: 2147483646 })
  expect(object.metadata.annotations).toHaveProperty([RECORD])
  expect(review(web('1'), { before: object as Deployment }).spec).toEqual(web('1').spec)
})

describe('another webhook behind ours', () => {
  const told = 'no release starts, whatever was said: another webhook has put a known template back'

  test('puts the stored template back: nothing begins, and the plan is taken back', () => {
    const first = review(web('2'))
    expect(first.warnings[0]).toContain('release starts')
    const second = review({
      ...first.object,
      spec: { ...first.spec, ...templateOf('1') },
    } as Deployment)
    expect(second.outcome).toBe('cleaned')
    expect(second.spec).toEqual(web('1').spec)
    expect(second.warnings).toEqual([told])
  })

  test('puts the stored template back in the middle: the hold stays, and the plan is taken back', () => {
    const before = held()
    const first = review(
      { ...before, spec: { ...before.spec, ...templateOf('3') } } as Deployment,
      {
        before,
      },
    )
    const second = review(
      { ...first.object, spec: { ...first.spec, ...templateOf('2') } } as Deployment,
      {
        before,
      },
    )
    expect(second.object.metadata.annotations).toEqual(before.metadata.annotations)
    expect(second.spec).toEqual(before.spec)
    expect(second.warnings).toEqual([told])
  })

  test('puts the stable template back: that is a rollback, and the plan is taken back', () => {
    const before = held()
    const first = review(
      { ...before, spec: { ...before.spec, ...templateOf('3') } } as Deployment,
      {
        before,
      },
    )
    const second = review(
      { ...first.object, spec: { ...first.spec, ...templateOf('1') } } as Deployment,
      {
        before,
      },
    )
    expect(second.spec).toEqual(web('1').spec)
    expect(second.warnings).toEqual([told, expect.stringMatching(/^rolling back to /)])
  })

  test('makes a third template of it: that one is held, and there is nothing to take back', () => {
    const first = review(web('2'))
    const second = review({
      ...first.object,
      spec: { ...first.spec, ...templateOf('3') },
    } as Deployment)
    expect(second.outcome).toBe('held')
    expect(second.warnings).not.toContain(told)
    expect(recordOf(second.object)?.owner).toEqual(recordOf(first.object)?.owner)
  })

  test('undoes what one before ours does to every write: the controller’s writes begin nothing', () => {
    // Stored is the stable template with a hold for the version that only we see.
    const phantom = held('2')
    const before = { ...phantom, spec: { ...phantom.spec, ...templateOf('1') } } as Deployment
    const seen = { ...before, spec: { ...before.spec, ...templateOf('2') } } as Deployment
    const ending = withHold(seen, { mode: 'released', seq: 2 })
    const answer = review(ending, { before, fromController: true })
    expect(holdOf(answer.object)).toBeUndefined()
    expect(answer.spec).toEqual(web('2').spec)
    const again = review(answer.object, { before, fromController: true })
    expect(again.object).toEqual(answer.object)
    const wave = withHold(seen, { budget: '50%', seq: 2 })
    expect(holdOf(review(wave, { before, fromController: true }).object)).toEqual(holdOf(wave))
    const other = { ...ending, spec: { ...ending.spec, ...templateOf('3') } } as Deployment
    expect(review(other, { before, fromController: true }).outcome).toBe('held')
  })
})

describe('a workload that is to stand still keeps the pods beyond its size', () => {
  const status = { replicas: 12, readyReplicas: 10 }
  const surge = { maxUnavailable: '01%', maxSurge: '011%' }

  test('when an edit meets a frozen Rollout', () => {
    const before = { ...web('1'), status }
    const { spec } = review(web('2'), { before, rollout: { ...rollout, paused: true } })
    expect(spec.paused).toBe(true)
    expect(spec.strategy?.rollingUpdate).toEqual(surge)
  })

  test('when its owner pauses it', () => {
    const before = { ...held(), status }
    const { spec } = review(paused(before), { before })
    expect(spec.strategy?.rollingUpdate).toEqual({ maxUnavailable: '00%', maxSurge: '011%' })
  })

  test('but not those that a scaling is taking away, and that only the status still counts', () => {
    const scaled = (object: Deployment) => withSpec(object, { replicas: 4 })
    const before = { ...scaled(web('1')), status }
    const atRest = review(scaled(web('2')), { before, rollout: { ...rollout, paused: true } })
    expect(atRest.spec.strategy?.rollingUpdate).toEqual({ maxUnavailable: '01%', maxSurge: '01%' })
    const amid = { ...scaled(held()), status }
    const standing = review(paused(amid), { before: amid })
    expect(standing.spec.strategy?.rollingUpdate?.maxSurge).toBe('01%')
  })
})

test('a workload that is resumed lets no more out than its step, whatever stood beside it', () => {
  const before = review(paused(held()), { before: held() }).object as Deployment
  expect(recordOf(before)?.owner).toMatchObject({ paused: true })
  const resumed = (hold: Partial<Hold>) => {
    const standing = withHold(before, hold)
    return holdOf(review(withSpec(standing, { paused: false }), { before: standing }).object)?.mode
  }
  expect(resumed({})).toBe('wave')
  expect(resumed({ surge: '50%' })).toBe('stop')
})

test('what the owner wanted is lost where a hold went without its record: the edit is told so', () => {
  const before = web('1', armed)
  const { outcome, warnings, object } = review(web('2', armed), { before })
  expect(outcome).toBe('held')
  expect(warnings.at(-1)).toMatch(/^the owner's values .* were lost while the webhook was away/)
  expect(recordOf(object)?.owner).toMatchObject({ minReadySeconds: 0, ...own })
})

test('an edit that is not held says where a native rollout began, until it is over', () => {
  const disabled = { ...rollout, disabled: true }
  const first = review(web('2'), { rollout: disabled }).object as Deployment
  const rolling = { observedGeneration: 4, replicas: 12, updatedReplicas: 3, readyReplicas: 10 }
  const back = review(web('1'), { before: { ...first, status: rolling } })
  expect(back.outcome).toBe('restored')
  const over = { ...rolling, replicas: 10, updatedReplicas: 10 }
  expect(review(web('1'), { before: { ...first, status: over } }).outcome).toBe('held')
})

test('an escape is taken away as it came; a copy with another template does neither', () => {
  const before = withMark(held(), 'asked')
  const without = review(held(), { before })
  expect(without.object.metadata.annotations).not.toHaveProperty([ESCAPE])
  const undone = { ...held(), spec: web('3').spec }
  expect(review(undone, { before }).object.metadata.annotations?.[ESCAPE]).toBe('asked')
})

describe('what stands on a workload that nobody guards is a copy', () => {
  const stale = { ...held().metadata.annotations, [CAUGHT]: 'paused', [STABLE_TEMPLATE]: 'f00d' }
  const unguarded = (spec: Partial<DeploymentSpec> = {}): Deployment => {
    const object = annotated(web('1', spec), stale)
    return { ...object, metadata: { ...object.metadata, labels: {} } }
  }

  test('our controller guards it again, without it', () => {
    const { object, outcome } = review(web('1'), { before: unguarded(), fromController: true })
    expect(outcome).toBe('untouched')
    expect(object).toEqual(web('1'))
  })

  test('an edit that brings the label with it begins anew, with the values that stand there', () => {
    const before = unguarded({ minReadySeconds: 7 })
    const after = review(annotated(web('2', { minReadySeconds: 7 }), stale), { before })
    expect(after.outcome).toBe('held')
    expect(recordOf(after.object)).toMatchObject({
      owner: { minReadySeconds: 7, paused: false },
      stable: adapter.fingerprint(web('1')),
    })
    expect(after.warnings[0]).toMatch(/^release starts with step 1/)
  })

  test('but where the fields still hold, who took the label away has not given it back', () => {
    const { labels: _, ...metadata } = held().metadata
    const before = { ...held(), metadata }
    const { object } = review({ ...before, metadata: held().metadata }, { before })
    expect(holdOf(object)).toEqual(holdOf(held()))
  })
})

function withMark(object: Deployment, escape: string): Deployment {
  return annotated(object, { ...object.metadata.annotations, [ESCAPE]: escape })
}

function paused(object: Deployment): Deployment {
  return { ...object, spec: { ...object.spec, paused: true } }
}

function templateOf(version: string): Pick<DeploymentSpec, 'template'> {
  return { template: web(version).spec.template }
}
