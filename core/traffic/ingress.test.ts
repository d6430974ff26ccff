// An Ingress by which a share of the requests goes to new pods: what is made, mended and taken away, and when
// it counts as taken over.

import { describe, expect, test } from 'vitest'

import type { Ingress, Service } from '#api/kubernetes.ts'
import { MADE_FOR, ROUTED } from '#api/names.ts'
import { merge } from '../../test/world/controller.ts'
import { annotated } from '../admission/marks.ts'
import type { Change } from '../change.ts'
import { scriptKey } from '../script.ts'
import type { FoundScript, ScriptAnswer, ScriptOutcome } from '../script.ts'
import { ingressInput } from './ingress.ts'
import { ingressRouter } from './ingress-router.ts'
import { trafficMove } from './moves.ts'
import type { Routed, TrafficAim } from './routed.ts'
import { seeService } from './seen.ts'
import type { Split } from './model.ts'
import { pinTo, services } from './service-pin.ts'
import { formatWished } from './wish.ts'
import { RECORD, TRAFFIC } from '#api/names.ts'

const NOW = Date.parse('2026-01-01T00:00:00Z')
const LATER = NOW + 5_000

const ingress: Ingress = {
  apiVersion: 'networking.k8s.io/v1',
  kind: 'Ingress',
  metadata: {
    name: 'web',
    namespace: 'shop',
    uid: 'i',
    resourceVersion: '1',
    labels: { app: 'web', 'argocd.argoproj.io/instance': 'shop' },
    annotations: { 'example.com/own': 'yes', 'meta.helm.sh/release-name': 'shop' },
  },
  spec: {
    ingressClassName: 'nginx',
    tls: [{ hosts: ['shop.example.com'] }],
    defaultBackend: { service: { name: 'web', port: { number: 80 } } },
    rules: [
      {
        host: 'shop.example.com',
        http: { paths: [pathTo('/', 'web'), pathTo('/images', 'images')] },
      },
      { host: 'other.example.com', http: { paths: [pathTo('/', 'other')] } },
    ],
  },
}

function pathTo(path: string, name: string) {
  return { path, pathType: 'Prefix', backend: { service: { name, port: { number: 80 } } } }
}

const owner = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web', uid: 'w', controller: true }
const selector = { app: 'web' }
const ref = { apiVersion: ingress.apiVersion, kind: 'Ingress', name: 'web', className: 'nginx' }
const pin = pinTo({
  workload: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
  routes: [ref],
  labels: { 'pod-template-hash': 'old' },
})
const web: Service = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: {
    name: 'web',
    namespace: 'shop',
    uid: 's',
    resourceVersion: '1',
    annotations: {
      [TRAFFIC]: pin,
      [RECORD]: formatWished(services, { owner: selector, wish: pin }),
    },
  },
  spec: { selector: { ...selector, 'pod-template-hash': 'old' } },
}
const canary: Service = {
  ...web,
  metadata: { ...web.metadata, name: 'web-canary', annotations: {}, ownerReferences: [owner] },
  spec: { selector: { app: 'web', 'pod-template-hash': 'new' } },
}

const script: FoundScript = {
  name: 'our script',
  text: 'return obj.annotations',
  remedy: 'mend it',
}

interface Scene {
  readonly ingress?: Ingress | null
  readonly made?: Ingress
  readonly script?: FoundScript
  readonly split?: Split
  readonly outcome?: ScriptOutcome & { readonly at?: number }
  readonly gone?: boolean
}

const share: Split = { percent: 20 }
const returned = { 'example.com/own': 'yes', 'canary-weight': '20' }

function routed(scene: Scene): Routed {
  const { ingress: own = ingress, made, script: found = script, split = share, outcome } = scene
  const input = own && ingressInput(own, 'web-canary', split)
  const answers = new Map<string, ScriptAnswer>()
  if ('text' in found && outcome) {
    answers.set(scriptKey({ script: found, input }), { at: NOW, ...outcome })
  }
  return {
    traffic: {
      routing: { service: 'web', routes: [ref], graceSeconds: 3 },
      service: seeService(web),
      ...(!scene.gone && { canary: seeService(canary) }),
      routes: [
        {
          ref,
          script: found,
          ...(own && { object: ingressRouter.see(own) }),
          ...(made && { made: ingressRouter.see(made) }),
        },
      ],
      endpoints: [
        { service: 'web-canary', ready: ['n1'], metadata: canary.metadata as never },
        { service: 'web', ready: ['o1'], metadata: web.metadata as never },
      ],
      answers,
    },
    pods: {
      ref: { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'web' },
      uid: 'w',
      revisionLabel: 'pod-template-hash',
      stable: 'old',
      updated: 'new',
      updatePods: [{ uid: 'n1', readySince: 1 }],
      podLabels: {},
    },
  }
}

function next(scene: Scene, now = NOW, aim: TrafficAim['to'] = 'split') {
  const to = aim === 'split' ? { to: aim, split: scene.split ?? share } : { to: aim }
  return trafficMove(routed(scene), to, now)
}

function created(change: Change | undefined): Ingress {
  if (change?.type !== 'create') throw new Error('nothing was created')
  const { metadata } = change.object
  const given = { uid: 'c', resourceVersion: '1' }
  return { ...change.object, metadata: { ...metadata, ...given } } as Ingress
}

function made(scene: Scene = {}, now = NOW): Ingress {
  return created(next({ outcome: { returned }, ...scene }, now)?.changes[0])
}

function mended(scene: Scene & { readonly made: Ingress }, now = LATER): Ingress {
  const [change] = next({ outcome: { returned }, ...scene }, now)!.changes
  if (change?.type !== 'patch') throw new Error('nothing was patched')
  return merge(scene.made, change.patch) as Ingress
}

describe('made', () => {
  test('as the owner’s, for what leads to the Service, and it belongs to the workload', () => {
    const { metadata, spec } = made()
    expect(metadata).toMatchObject({
      name: 'web-canary',
      labels: { app: 'web' },
      ownerReferences: [owner],
      annotations: returned,
    })
    expect(Object.keys(metadata.labels!)).toEqual(['app'])
    expect(metadata.annotations).not.toHaveProperty(['meta.helm.sh/release-name'])
    expect(spec).toEqual({
      ingressClassName: 'nginx',
      tls: [{ hosts: ['shop.example.com'] }],
      rules: [{ host: 'shop.example.com', http: { paths: [pathTo('/', 'web-canary')] } }],
    })
  })

  test('the script is run first', () => {
    expect(next({})).toMatchObject({ changes: [], why: 'running our script', run: { script } })
  })

  test('the script is given what one for Kruise Rollouts is', () => {
    const matches = [{ headers: [{ name: 'user', value: 'a' }] }]
    const headers = { set: [{ name: 'a', value: 'b' }] }
    expect(ingressInput(ingress, 'web-canary', { matches, headers })).toEqual({
      annotations: { 'example.com/own': 'yes' },
      weight: '-1',
      matches,
      canaryService: 'web-canary',
      requestHeaderModifier: headers,
    })
    expect(ingressInput(ingress, 'web-canary', share)).toMatchObject({ weight: '20' })
  })

  test('it counts as taken over a grace period after the write', () => {
    const scene = { made: made(), outcome: { returned } }
    const why = 'giving whoever routes by Ingress web-canary 3 s to take it over'
    expect(next(scene, NOW + 2_999)).toEqual({ changes: [], why, requeueAt: NOW + 3_000 })
    expect(next(scene, NOW + 3_000)).toBeUndefined()
  })

  test('no share is no Ingress', () => {
    const none = { split: { percent: 0 }, outcome: { returned } }
    expect(next(none)).toBeUndefined()
    expect(next({ ...none, made: made() })?.changes[0]).toMatchObject({ type: 'delete' })
  })
})

describe('mended', () => {
  test('the next step writes its own annotations, and the grace period begins anew', () => {
    const before = made({ outcome: { returned: { ...returned, 'canary-by-header': 'user' } } })
    const after = mended({ made: before, outcome: { returned: { 'canary-weight': '50' } } })
    expect(after.metadata.annotations).toEqual({
      'canary-weight': '50',
      [MADE_FOR]: before.metadata.annotations![MADE_FOR],
      [ROUTED]: '{"since":"2026-01-01T00:00:05Z","keys":["canary-weight"]}',
    })
    expect(next({ made: after, outcome: { returned: { 'canary-weight': '50' } } }, LATER)).toEqual({
      changes: [],
      why: expect.stringContaining('3 s to take it over'),
      requeueAt: LATER + 3_000,
    })
  })

  test('what others write stays, and ours comes back', () => {
    const edited = annotated(made(), { 'canary-weight': '99', theirs: 'yes' }) as Ingress
    const after = mended({ made: edited })
    expect(after.metadata.annotations).toMatchObject({ ...returned, theirs: 'yes' })
    expect(next({ made: after, outcome: { returned } }, LATER + 3_000)).toBeUndefined()
  })

  test.each([
    ['rules that others write', (each: Ingress) => ({ ...each, spec: { rules: [] } })],
    [
      'a label that others take away',
      (each: Ingress) => ({ ...each, metadata: { ...each.metadata, labels: {} } }),
    ],
  ])('%s', (_, edit) => {
    const before = made()
    const after = mended({ made: edit(before) })
    expect(after.spec).toEqual(before.spec)
    expect(after.metadata.labels).toEqual(before.metadata.labels)
  })

  test('it follows the owner’s', () => {
    const [first] = ingress.spec!.rules!
    const paths = [pathTo('/', 'web'), pathTo('/more', 'web')]
    const own = { ...ingress, spec: { rules: [{ ...first!, http: { paths } }] } }
    const after = mended({ ingress: own, made: made() })
    expect(after.spec).toEqual({
      rules: [
        {
          host: 'shop.example.com',
          http: { paths: [pathTo('/', 'web-canary'), pathTo('/more', 'web-canary')] },
        },
      ],
    })
  })

  test('what the API server adds is no difference', () => {
    const scene = { made: made(), outcome: { returned } }
    const defaulted = { ...scene.made, spec: { ...scene.made.spec, defaulted: 1 } } as Ingress
    expect(next({ ...scene, made: defaulted }, LATER)).toBeUndefined()
  })
})

describe('taken away', () => {
  test('before requests under way get their grace period', () => {
    const why = 'sending no requests to new pods by the route'
    expect(next({ made: made() }, LATER, 'stable')).toMatchObject({
      changes: [{ type: 'delete', uid: 'c', target: { kind: 'Ingress', name: 'web-canary' } }],
      why,
    })
    const deleting = { ...made().metadata, deletionTimestamp: '2026-01-01T00:00:00Z' }
    expect(next({ made: { ...made(), metadata: deleting } }, LATER, 'stable')).toEqual({
      changes: [],
      why: 'waiting for Ingress web-canary to be gone',
      task: 'FinalisingStepRouteTrafficToStable',
    })
    expect(next({}, LATER, 'stable')?.why).toBe('noting when requests went away from new pods')
    expect(next({ gone: true }, LATER, 'stable')).toBeUndefined()
  })

  test('never one of somebody else', () => {
    const metadata = { ...made().metadata, ownerReferences: [], annotations: {} }
    const foreign = { ...made(), metadata }
    expect(next({ made: foreign, gone: true }, LATER, 'stable')).toBeUndefined()
  })
})

describe('what is in the way is named', () => {
  const foreign = { ...ingress, metadata: { ...ingress.metadata, name: 'web-canary' } }
  const backend = { service: { name: 'web' } }
  test.each<[string, Scene, string]>([
    ['no Ingress', { ingress: null }, 'Ingress web does not exist'],
    [
      'one that leads elsewhere',
      { ingress: { ...ingress, spec: { defaultBackend: backend } } },
      'no path of Ingress web sends requests to Service web',
    ],
    [
      'one of somebody else in the place of ours',
      { made: foreign },
      'Ingress web-canary was not made for this workload: rename it, or delete it',
    ],
    ['no script', { script: { missing: 'there is no script' } }, 'there is no script'],
  ])('%s', (_, scene, why) => {
    expect(next(scene, NOW, 'pinned')).toEqual({ changes: [], why, blocked: true })
  })

  test.each<[string, ScriptOutcome, string]>([
    ['a script with a mistake', { mistake: 'line 1: no', lasting: true }, 'line 1: no'],
    ['no annotations', { returned: [1] }, 'our script returns annotations that are no texts'],
    ['numbers', { returned: { a: 1 } }, 'our script returns annotations that are no texts'],
  ])('%s', (_, outcome, why) => {
    expect(next({ outcome })).toEqual({ changes: [], why, blocked: true })
  })

  test('a script that took too long is tried again', () => {
    const outcome = { mistake: 'takes more than 1 s', lasting: false }
    const stopped = { changes: [], why: outcome.mistake, blocked: true }
    expect(next({ outcome }, NOW + 9_999)).toEqual({ ...stopped, requeueAt: NOW + 10_000 })
    expect(next({ outcome }, NOW + 10_000)).toMatchObject({ ...stopped, run: { script } })
  })
})
