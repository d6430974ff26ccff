// Objects of a mesh: when a script is asked, what is written, and what keeps it from being written.

import { expect, test } from 'vitest'

import type { KubeObject } from '#api/kubernetes.ts'
import { ORIGINAL } from '#api/names.ts'
import { annotated } from '../admission/marks.ts'
import { reviewTraffic } from '../admission/traffic-review.ts'
import type { Change } from '../change.ts'
import { scriptKey } from '../script.ts'
import type { ScriptAnswer, ScriptOutcome } from '../script.ts'
import { networkInput, networkObjects } from './network-object.ts'
import { networkRouter } from './network-router.ts'

const NOW = Date.parse('2026-01-01T00:00:00Z')
const LATER = NOW + 5_000
const kind = { apiVersion: 'networking.istio.io/v1', kind: 'VirtualService', plural: 'vs' }
const provider = networkObjects(kind)
const router = networkRouter(provider)
const script = { name: 'our script', text: 'return obj.data', remedy: 'mend it' }
const ref = { ...kind, name: 'web' }
const metadata = { name: 'web', namespace: 'shop', uid: 'v', resourceVersion: '1' }
const own = { ...kind, metadata, spec: { http: ['own'] } } as unknown as KubeObject
const to = { spec: { http: ['split'] }, labels: {}, annotations: {} }
const workload = { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'web' }
const split = { percent: 20 }
const routing = { service: 'web', routes: [ref], graceSeconds: 3 }

function asked(object: KubeObject, outcome?: ScriptOutcome, now = NOW) {
  const seen = router.see(object)
  const { owner } = seen as typeof seen & { readonly owner: unknown }
  const input = networkInput(owner, routing, split)
  const answers = new Map<string, ScriptAnswer>()
  if (outcome) answers.set(scriptKey({ script, input }), { ...outcome, at: NOW })
  const route = { ref, object: seen, script }
  const use = { routing, answers, owner: { ref: workload, uid: 'w' } }
  return router.split(route, use, { split, now }) ?? router.splitSeen(route, use, { split, now })
}

/** As admission stores it. */
function stored(before: KubeObject, change: Change | undefined): KubeObject {
  if (change?.type !== 'patch') throw new Error('nothing was patched')
  const { annotations } = change.patch['metadata'] as unknown as KubeObject['metadata']
  const object = annotated(before, { ...annotations })
  return reviewTraffic({ provider, object, before, fromController: true })
}

test('the script is asked, its word is written, and the grace period counts from then', () => {
  expect(asked(own)).toMatchObject({ changes: [], run: { script } })
  const [change] = asked(own, { returned: to })!.changes
  const held = stored(own, change)
  expect(held).toMatchObject({ spec: to.spec })
  const input = networkInput({ ...to, spec: { http: ['own'] } }, routing, split)
  expect(JSON.parse(held.metadata.annotations![ORIGINAL]!)).toEqual(
    (input as { readonly data: unknown }).data,
  )
  expect(asked(held, { returned: to }, NOW + 2_999)).toEqual({
    changes: [],
    why: 'giving whoever routes by VirtualService web 3 s to take it over',
    requeueAt: NOW + 3_000,
  })
  expect(asked(held, { returned: to }, NOW + 3_000)).toBeUndefined()
})

test('what the owner writes in the middle is his, and the script is asked again', () => {
  const held = stored(own, asked(own, { returned: to })!.changes[0])
  const object = { ...held, spec: { http: ['own', 'more'] } } as unknown as KubeObject
  const written = reviewTraffic({ provider, object, before: held, fromController: false })
  expect(written).toMatchObject({ spec: { http: ['own', 'more'] } })
  expect(asked(written, undefined, LATER)).toMatchObject({
    run: { input: { data: { spec: { http: ['own', 'more'] } } } },
  })
  const more = { ...to, spec: { http: ['split', 'more'] } }
  const again = stored(written, asked(written, { returned: more }, LATER)!.changes[0])
  expect(again).toMatchObject({ spec: more.spec })
  expect(asked(again, { returned: more }, LATER + 2_999)).toMatchObject({
    requeueAt: LATER + 3_000,
  })
})

test.each([[null], [[1]], [{}], [{ spec: 'text' }], [{ spec: {}, labels: { a: 1 } }]])(
  'a script that returns no such object: %j',
  returned => {
    const why = 'our script returns no object with spec, labels and annotations'
    expect(asked(own, { returned })).toEqual({ changes: [], why, blocked: true })
  },
)

test('what Kruise Rollouts has left there is named', () => {
  const left = router.see(annotated(own, { [ORIGINAL]: '{}' }))
  const route = { ref, object: left, script }
  const trouble = router.trouble(route, { routing, answers: new Map() })
  expect(trouble).toContain(`VirtualService web has the annotation ${ORIGINAL}`)
})
