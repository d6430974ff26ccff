// A webhook at its start, beside an API server that cannot read the Rollouts, or only with a webhook that
// is ready: when it is, and what it answers before it knows them.

import { pino } from 'pino'
import { Agent, request } from 'undici'
import { expect, onTestFinished, test } from 'vitest'

import { API_VERSION, HOLD, OLDER_API_VERSION } from '#api/names.ts'
import type { Rollout } from '#api/rollout.generated.ts'
import { adapters } from '#core/workload/registry.ts'
import { workloadKey } from '#core/rollout/key.ts'
import { Cache } from '#kube/cache.ts'
import { Retryable } from '#kube/errors.ts'
import { workloadOf, rolloutOf } from '../test/cluster/manifests.ts'
import { answeredClient } from '../test/world/answered-client.ts'
import { freePort } from '../dev/free-port.ts'
import { createMetrics } from './metrics.ts'
import { readReview } from './review.ts'
import { admit, answerToBug, validate } from './reviewers.ts'
import type { Known } from './reviewers.ts'
import { startWebhook } from './webhook.ts'

const listOf = (...items: readonly object[]) => ({ items, metadata: { resourceVersion: '1' } })
const rollout = rolloutOf('shop', { steps: [{ replicas: 1 }] }) as Rollout
/** Its certificate is in its memory. */
const tls = new Agent({ connect: { rejectUnauthorized: false } })

/** Starts one whose API server reads no Rollout while `state.unread`. */
async function begin(storedVersions: readonly string[], drainMs = 0) {
  const state = { unread: true }
  const client = await answeredClient(({ url = '' }, response) => {
    const { pathname, searchParams } = new URL(url, 'http://test')
    if (searchParams.has('watch')) {
      response.flushHeaders()
      return
    }
    if (pathname.endsWith('/rollouts') && state.unread) {
      response.writeHead(500).end('{"kind":"Status","message":"conversion webhook failed"}')
      return
    }
    const definition = { metadata: { name: 'rollouts' }, spec: {}, status: { storedVersions } }
    if (pathname.endsWith('/rollouts')) response.end(JSON.stringify(listOf(rollout)))
    else if (pathname.endsWith('/customresourcedefinitions'))
      response.end(JSON.stringify(listOf(definition)))
    else if (searchParams.has('fieldSelector')) response.end(JSON.stringify(listOf()))
    else response.writeHead(404).end('{"kind":"Status","code":404}')
  })
  const [port, probesPort] = [await freePort(), await freePort()]
  const ending = new AbortController()
  const starting = startWebhook(
    {
      client,
      config: {
        namespace: 'sluice',
        extraKinds: [],
        makeDeployments: true,
        routes: false,
        routeKinds: [],
        configuration: 'sluice',
        hosts: ['127.0.0.1'],
        host: '127.0.0.1',
        port,
        probesHost: '127.0.0.1',
        probesPort,
        drainMs,
        caDays: 2,
        servingDays: 1,
        logLevel: 'silent',
      },
      metrics: createMetrics(),
      log: pino({ level: 'silent' }),
    },
    ending.signal,
  )
  onTestFinished(async () => {
    ending.abort()
    await starting.then(
      webhook => webhook.close(),
      () => {},
    )
  })
  const readiness = () =>
    request(`http://127.0.0.1:${probesPort}/readyz`).then(
      ({ body }) => body.text(),
      () => 'nobody listens',
    )
  return { state, starting, ending, readiness, url: `https://127.0.0.1:${port}` }
}

async function converted(url: string): Promise<string> {
  const object = {
    apiVersion: OLDER_API_VERSION,
    kind: 'Rollout',
    metadata: { name: 'web' },
    spec: {
      objectRef: { workloadRef: rollout.spec.workloadRef },
      strategy: { canary: { steps: [{ replicas: 1 }] } },
    },
  }
  const review = {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'ConversionReview',
    request: { uid: 'u1', desiredAPIVersion: API_VERSION, objects: [object] },
  }
  const answer = await request(`${url}/convert`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(review),
    dispatcher: tls,
  })
  return answer.body.text()
}

test('where they may be stored in the older version it is ready before they are read', async () => {
  const { state, starting, readiness, url } = await begin(['v1alpha1', 'v1beta1'])
  await starting
  expect(await readiness()).toBe('ok\n')
  expect(await converted(url)).toContain('"Success"')
  state.unread = false
  expect(await readiness()).toBe('ok\n')
})

test('else it converts at once, and is ready when they are read', async () => {
  const { state, starting, readiness, url } = await begin(['v1beta1'])
  await expect.poll(readiness).toBe('the Rollouts have not been read\n')
  expect(await converted(url)).toContain('"Success"')
  expect(await readiness()).toBe('the Rollouts have not been read\n')
  state.unread = false
  await starting
  expect(await readiness()).toBe('ok\n')
})

test('told to end before it is ready it ends at once', async () => {
  const { starting, ending, readiness } = await begin(['v1beta1'], 60_000)
  await expect.poll(readiness).toBe('the Rollouts have not been read\n')
  const why = new Error('told to end')
  ending.abort(why)
  await expect(starting).rejects.toBe(why)
  expect(await readiness()).toBe('nobody listens')
})

const before = workloadOf('shop', { image: 'app:1' })
const after = workloadOf('shop', { image: 'app:2' })

function reviewOf(object: object, oldObject: object | null, kind: object) {
  return readReview({
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: {
      uid: 'u1',
      kind,
      operation: oldObject ? 'UPDATE' : 'CREATE',
      namespace: 'shop',
      name: 'web',
      object,
      oldObject,
    },
  })
}

const edit = reviewOf(after, before, { group: 'apps', version: 'v1', kind: 'Deployment' })
const second = reviewOf({ ...rollout, metadata: { namespace: 'shop', name: 'second' } }, null, {
  group: 'rollouts.kruise.io',
  version: 'v1beta1',
  kind: 'Rollout',
})

/** Before the cache is full. */
function knowing(lookup: Known['lookup']): Known {
  return {
    rollouts: new Cache<Rollout>({ indexes: { workload: each => [workloadKey(each)] } }),
    allKnown: () => false,
    makeDeployments: true,
    lookup,
    routes: false,
    providers: [],
    adapters,
    lookUpNamed: async () => ({}),
    kruiseRegistered: () => false,
  }
}

test('what it does not know yet is asked, also of a workload without a label', async () => {
  const uid = 'uid-rollout'
  const known = knowing(async () => [{ ...rollout, metadata: { ...rollout.metadata, uid } }])
  const { patch } = await admit(known, edit)
  expect(JSON.stringify(patch)).toContain(HOLD)
  const { allowed, status } = await validate(known, second)
  expect([allowed, status?.message]).toEqual([false, expect.stringContaining('already')])
})

test('where nobody can be asked nothing goes out unheld', async () => {
  const known = knowing(() =>
    Promise.reject(new Retryable({ code: 500, reason: '', message: '', causes: [] })),
  )
  for (const answer of [
    await admit(known, edit),
    await validate(known, second),
    answerToBug(known, edit),
  ]) {
    expect([answer.allowed, answer.status?.code]).toEqual([false, 503])
  }
})
