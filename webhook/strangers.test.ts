// Whatever arrives is answered: reviews of every shape that an API server can send are decided without
// a bug, and those that none would send are refused with a line. REVIEWS sets how many, SEED which.

import fc from 'fast-check'
import { pino } from 'pino'
import { Pool } from 'undici'
import { expect, onTestFinished, test } from 'vitest'

import type { Deployment, KubeObject } from '#api/kubernetes.ts'
import { CONTROLLER_MANAGER, ESCAPE, HOLD, RECORD, WAVE, WORKLOAD_TYPE } from '#api/names.ts'
import type { Rollout } from '#api/rollout.generated.ts'
import { createAuthority, issue } from '#certs/authority.ts'
import { workloadKey } from '#core/rollout/key.ts'
import { adapters } from '#core/workload/registry.ts'
import { Cache } from '#kube/cache.ts'
import { workloadOf, rolloutOf } from '../test/cluster/manifests.ts'
import { createMetrics } from './metrics.ts'
import { readReview, writeReview } from './review.ts'
import { admit, answerToBug, validate } from './reviewers.ts'
import { createWebhookServer } from './server.ts'

const numRuns = Number(process.env['REVIEWS'] ?? 3000)
/** What hangs is told while there is somebody to tell. */
const patienceMs = 600_000
const seed = Number(process.env['SEED'] ?? 20)

const rollout = rolloutOf('shop', { steps: [{ replicas: 1 }, { replicas: '50%' }] }) as Rollout
const rollouts = new Cache<Rollout>({ indexes: { workload: each => [workloadKey(each)] } })
rollouts.put({ ...rollout, metadata: { ...rollout.metadata, uid: 'uid-rollout' } }, '1')
const known = {
  rollouts,
  allKnown: () => true,
  lookup: () => Promise.resolve([]),
  adapters,
  lookUpNamed: async () => ({}),
  makeDeployments: true,
  routes: false,
  providers: [],
  kruiseRegistered: () => false,
}

const percent = fc.nat(120).map(n => `${n}%`)
const amount = fc.oneof(fc.nat(20), percent, fc.constantFrom('030%', '00%', '0100%'))
const record = fc
  .tuple(
    fc.constantFrom(
      'rollout=web-rollout;uid=uid-rollout;stable=0123456789;',
      'stable=1;',
      '',
      null,
    ),
    fc.oneof(fc.jsonValue(), fc.record({ strategy: fc.jsonValue(), paused: fc.jsonValue() })),
  )
  .map(([escape, spec]) =>
    JSON.stringify({ metadata: { annotations: { [ESCAPE]: escape } }, spec }),
  )
const hold = fc
  .tuple(
    fc.constantFrom('wave', 'back', 'stop', 'aborted', 'finishing', 'released', 'faster'),
    amount,
    amount,
    fc.nat(5),
  )
  .map(([mode, budget, surge, seq]) => {
    return `mode=${mode};pods=1;budget=${budget};surge=${surge};rollout-id=0123456789-2;seq=${seq};`
  })
const annotations = fc.record(
  {
    [HOLD]: fc.oneof(hold, fc.string()),
    [RECORD]: fc.oneof(record, fc.json(), fc.string()),
    [ESCAPE]: fc.string(),
    team: fc.string(),
  },
  { requiredKeys: [] },
)
const strategy = fc.record(
  {
    type: fc.constantFrom('RollingUpdate', 'Recreate'),
    rollingUpdate: fc.option(
      fc.record({ maxUnavailable: amount, maxSurge: amount }, { requiredKeys: [] }),
      { nil: undefined },
    ),
  },
  { requiredKeys: [] },
)
const spec = fc.record(
  {
    replicas: fc.nat(12),
    strategy,
    minReadySeconds: fc.constantFrom(0, 5, 2_147_483_646),
    progressDeadlineSeconds: fc.constantFrom(600, 2_147_483_647),
    paused: fc.boolean(),
    revisionHistoryLimit: fc.nat(3),
  },
  { requiredKeys: [] },
)
const status = fc.record(
  { replicas: fc.nat(12), readyReplicas: fc.nat(12), observedGeneration: fc.nat(3) },
  { requiredKeys: [] },
)

/** A Deployment that the API server could have decoded. */
const deployments = fc
  .record({
    image: fc.constantFrom('app:1', 'app:2', 'app:3'),
    labels: fc.constantFrom(
      {},
      { [WORKLOAD_TYPE]: 'deployment' },
      { [WORKLOAD_TYPE]: 'deployment', [WAVE]: 'finishing.2.9.1.5p.1p.running' },
      { [WORKLOAD_TYPE]: 'deployment', [WAVE]: 'wave.2.x' },
    ),
    annotations: fc.option(annotations, { nil: undefined }),
    spec,
    status: fc.option(status, { nil: undefined }),
  })
  .map(each => {
    const plain = workloadOf('shop', { image: each.image, spec: each.spec }) as Deployment
    const { labels, annotations: marks, status: told } = each
    const metadata = {
      ...plain.metadata,
      generation: 1,
      labels,
      ...(marks && { annotations: marks }),
    }
    return { ...plain, metadata, ...(told && { status: told }) } as KubeObject
  })

function reviewOf(object: unknown, oldObject: unknown, request: object = {}): unknown {
  const kind = { group: 'apps', version: 'v1', kind: 'Deployment' }
  return {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: {
      uid: 'u1',
      kind,
      operation: 'UPDATE',
      namespace: 'shop',
      name: 'web',
      object,
      oldObject,
      ...request,
    },
  }
}

/** Throws what would be a bug. */
async function answerTo(body: unknown): Promise<string> {
  const request = readReview(body)
  return writeReview(request.uid, await admit(known, request))
}

test(
  'every write of a Deployment is decided, whatever our annotations say',
  async () => {
    const managers = fc.constantFrom(CONTROLLER_MANAGER, 'kubectl')
    let decided = 0
    await fc.assert(
      fc.asyncProperty(
        deployments,
        deployments,
        managers,
        async (object, oldObject, fieldManager) => {
          const answer = await answerTo(reviewOf(object, oldObject, { options: { fieldManager } }))
          expect(JSON.parse(answer)).toMatchObject({ response: { uid: 'u1', allowed: true } })
          if (answer.includes('"patch"')) decided += 1
        },
      ),
      { numRuns, seed, endOnFailure: true },
    )
    // Else the writes were none that matter.
    expect(decided).toBeGreaterThan(numRuns / 10)
  },
  patienceMs,
)

/** A place in a review, and what stands there instead. */
const places: readonly (readonly string[])[] = [
  [],
  ['apiVersion'],
  ['request'],
  ...['uid', 'kind', 'operation', 'name', 'namespace', 'userInfo', 'options', 'dryRun'].map(key => [
    'request',
    key,
  ]),
  ...['object', 'oldObject'].flatMap(which =>
    [
      '',
      'metadata',
      'metadata.labels',
      'metadata.annotations',
      'spec',
      'spec.template',
      'status',
    ].map(rest => ['request', which, ...rest.split('.').filter(key => key !== '')]),
  ),
]

function damaged(review: unknown, [key, ...rest]: readonly string[], value: unknown): unknown {
  if (key === undefined) return value
  const here = { ...(review as Record<string, unknown>) }
  return { ...here, [key]: damaged(here[key], rest, value) }
}

const headers = { 'content-type': 'application/json' }
const post = { method: 'POST', headers } as const

/** A client of a server with the reviewers that a webhook has. */
async function clientOfServer(): Promise<Pool> {
  const ca = await createAuthority({ now: Date.now(), days: 2 })
  const names = { dnsNames: [], ips: ['127.0.0.1'] }
  const server = createWebhookServer({
    certificate: await issue(ca, { ...names, now: Date.now(), days: 1 }),
    admit: request => admit(known, request),
    validate: request => validate(known, request),
    onBug: request => answerToBug(known, request),
    metrics: createMetrics(),
    log: pino({ level: 'silent' }),
    listen: { host: '127.0.0.1', port: 0 },
    probes: { host: '127.0.0.1', port: 0 },
  })
  const { port } = await server.listen()
  onTestFinished(() => server.close())
  return new Pool(`https://127.0.0.1:${port}`, { connections: 8, connect: { ca: ca.cert } })
}

test(
  'what no API server sends is refused with a line, or decided',
  async () => {
    const client = await clientOfServer()
    const damage = fc.record({ path: fc.constantFrom(...places), value: fc.jsonValue() })
    const kinds = fc.constantFrom('Deployment', 'Rollout', 'Pod')
    await fc.assert(
      fc.asyncProperty(deployments, damage, kinds, async (object, { path, value }, kind) => {
        const group = kind === 'Rollout' ? 'rollouts.kruise.io' : 'apps'
        const whole = reviewOf(object, object, { kind: { group, version: 'v1', kind } })
        const body = JSON.stringify(damaged(whole, path, value))
        const { statusCode, body: answer } = await client.request({
          ...post,
          path: kind === 'Rollout' ? '/validate' : '/admit',
          body,
        })
        // A review that nobody could have decoded may be a bug to our rules: it is answered all the same.
        expect(statusCode === 200 || statusCode === 400).toBe(true)
        expect(await answer.text()).toMatch(/^.+\n?$/)
      }),
      { numRuns, seed, endOnFailure: true },
    )
    await client.close()
  },
  patienceMs,
)

/** An edit of a Deployment at rest, whose template and the one before have so many variables of 300 bytes. */
function editWith(variables: number): unknown {
  const env = Array.from({ length: variables }, (_, i) => ({
    name: `V${i}`,
    value: 'x'.repeat(280),
  }))
  const [before, after] = ['app:1', 'app:2'].map(image => {
    const object = workloadOf('shop', { image }) as Deployment
    const labels = { [WORKLOAD_TYPE]: 'deployment' }
    const template = {
      ...object.spec.template,
      spec: { containers: [{ name: 'app', image, env }] },
    }
    const status = { replicas: 10, readyReplicas: 10, updatedReplicas: 10, availableReplicas: 10 }
    const metadata = { ...object.metadata, generation: 1, labels }
    return { ...object, metadata, spec: { ...object.spec, template }, status }
  })
  return reviewOf(after, before)
}

test('edits of objects of 1.4 MiB are held among small ones, by patches as small as theirs', async () => {
  const [large, small] = [JSON.stringify(editWith(4800)), JSON.stringify(editWith(1))]
  expect(large.length).toBeGreaterThan(2 * 1.4 * 1024 * 1024)
  const client = await clientOfServer()
  const sent = Array.from({ length: 66 }, (_, i) => (i % 11 === 0 ? large : small))
  const answers = await Promise.all(
    sent.map(async body => {
      const { body: answer } = await client.request({ ...post, path: '/admit', body })
      return answer.text()
    }),
  )
  for (const answer of answers) {
    expect(answer).toContain('release starts with step 1 of 2: 1 of 10 pods')
    expect(answer.length).toBeLessThan(4096)
  }
  await client.close()
})
