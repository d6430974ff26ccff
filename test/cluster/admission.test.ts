// The webhook configurations in a real API server: accepted as they are, and calling us exactly
// when they should. The reviewer only records.

import { pino } from 'pino'
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from 'vitest'

import { ESCAPE, HOLD, RECORD, WAVE, WORKLOAD_TYPE } from '#api/names.ts'
import type { Deployment, KubeObject, ObjectMeta } from '#api/kubernetes.ts'
import { createAuthority, issue } from '#certs/authority.ts'
import { KubeClient } from '#kube/client.ts'
import { fromKubeconfig } from '#kube/kubeconfig.ts'
import { DEPLOYMENTS, MUTATING_WEBHOOKS, NAMESPACES, VALIDATING_WEBHOOKS } from '#kube/resources.ts'
import { mutatingConfiguration, validatingConfiguration } from '../../webhook/configuration.ts'
import type { WebhookManifest } from '../../webhook/configuration.ts'
import { createMetrics } from '../../webhook/metrics.ts'
import { createWebhookServer } from '../../webhook/server.ts'
import type { AdmissionRequest, AdmissionResponse } from '../../webhook/server.ts'
import { eventually } from './eventually.ts'

const run = Math.random().toString(36).slice(2, 8)
const namespace = `admission-${run}`
const ownNamespace = `own-${run}`
const configurationName = `sluice-${run}`

const asked: AdmissionRequest[] = []
const warned: string[] = []
const allow: AdmissionResponse = { allowed: true }
const answers = { next: allow }

let client: KubeClient
/** As whom the API server knows us. */
let user: string | undefined
let server: ReturnType<typeof createWebhookServer>
let reach: Parameters<typeof mutatingConfiguration>[0]

beforeAll(async () => {
  const now = Date.now()
  const ca = await createAuthority({ now, days: 2 })
  server = createWebhookServer({
    certificate: await issue(ca, { dnsNames: [], ips: ['127.0.0.1'], now, days: 1 }),
    admit(request) {
      asked.push(request)
      return answers.next
    },
    validate: () => allow,
    onBug: () => ({ allowed: false, status: { message: 'the test is broken' } }),
    metrics: createMetrics(),
    log: pino({ level: 'silent' }),
    listen: { host: '127.0.0.1', port: 0 },
    probes: { host: '127.0.0.1', port: 0 },
  })
  const { port } = await server.listen()
  reach = {
    url: `https://127.0.0.1:${port}`,
    name: configurationName,
    failurePolicy: 'Fail',
    caBundle: ca.cert,
    ownNamespace,
  }

  const { kubeconfig } = inject('cluster')
  client = new KubeClient(await fromKubeconfig(kubeconfig), { onWarning: it => warned.push(it) })
  for (const name of [namespace, ownNamespace]) {
    await client.create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
  }
  await client.create(MUTATING_WEBHOOKS, onlyHere(mutatingConfiguration(reach)))
  await untilCalled()
})

afterAll(async () => {
  await client.remove(MUTATING_WEBHOOKS, { name: configurationName })
  for (const name of [namespace, ownNamespace]) await client.remove(NAMESPACES, { name })
  await client.close()
  await server.close()
})

beforeEach(() => {
  answers.next = allow
  asked.length = 0
  warned.length = 0
})

/** Leaves the other tests of this cluster alone. */
function onlyHere(manifest: WebhookManifest): WebhookManifest {
  const here = {
    key: 'kubernetes.io/metadata.name',
    operator: 'In',
    values: [namespace, ownNamespace],
  }
  return {
    ...manifest,
    webhooks: manifest.webhooks.map(webhook => {
      const { matchExpressions } = webhook['namespaceSelector'] as { matchExpressions: object[] }
      return { ...webhook, namespaceSelector: { matchExpressions: [...matchExpressions, here] } }
    }),
  }
}

/** The API server learns of a configuration a little later than it stores it. */
async function untilCalled(): Promise<void> {
  const probe = deployment('probe', { annotations: { [HOLD]: 'x' } })
  await eventually(async () => {
    await client.create(DEPLOYMENTS, probe, { dryRun: true })
    if (asked.length === 0) throw new Error('the webhook is not called yet')
  })
  user = asked.find(({ name }) => name === 'probe')!.userInfo.username
}

interface Metadata {
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly namespace?: string
}

function deployment(name: string, metadata: Metadata = {}): Deployment {
  const app = { app: name }
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace, ...metadata },
    spec: {
      replicas: 0,
      selector: { matchLabels: app },
      template: {
        metadata: { labels: app },
        spec: { containers: [{ name: 'app', image: 'app:1' }] },
      },
    },
  }
}

const guarded = { labels: { [WORKLOAD_TYPE]: 'deployment' } }
const held = { ...guarded, annotations: { [HOLD]: 'budget=030%;seq=1;' } }
const annotate = (annotations: Record<string, string | null>) => ({ metadata: { annotations } })
const newTemplate = { spec: { template: { metadata: { annotations: { version: '2' } } } } }
const newSize = { spec: { replicas: 1 } }

interface Row {
  readonly what: string
  readonly before: Metadata
  readonly patch: object
  readonly subresource?: string
  readonly calls: 0 | 1
}

const edits: readonly Row[] = [
  {
    what: 'a template change of a guarded Deployment',
    before: guarded,
    patch: newTemplate,
    calls: 1,
  },
  { what: 'a template change of a stranger', before: {}, patch: newTemplate, calls: 0 },
  { what: 'the size of a guarded Deployment', before: guarded, patch: newSize, calls: 0 },
  {
    what: 'an annotation of a guarded Deployment',
    before: guarded,
    patch: annotate({ a: 'b' }),
    calls: 0,
  },
  {
    what: 'the label taken away',
    before: guarded,
    patch: { metadata: { labels: null } },
    calls: 1,
  },
  {
    what: 'the label taken away, others left',
    before: { labels: { ...guarded.labels, team: 'shop' } },
    patch: { metadata: { labels: { [WORKLOAD_TYPE]: null } } },
    calls: 1,
  },
  { what: 'the label given', before: {}, patch: { metadata: guarded }, calls: 0 },
  { what: 'a hold put on', before: guarded, patch: annotate({ [HOLD]: 'x' }), calls: 1 },
  { what: 'a record put on', before: guarded, patch: annotate({ [RECORD]: '{}' }), calls: 1 },
  { what: 'a template change of a held Deployment', before: held, patch: newTemplate, calls: 1 },
  { what: 'the size of a held Deployment', before: held, patch: newSize, calls: 1 },
  {
    what: 'an annotation of a held Deployment',
    before: held,
    patch: annotate({ a: 'b' }),
    calls: 1,
  },
  { what: 'a hold taken away', before: held, patch: annotate({ [HOLD]: null }), calls: 1 },
  {
    what: 'a label of a held Deployment',
    before: held,
    patch: { metadata: { labels: { [WAVE]: 'x' } } },
    calls: 1,
  },
  {
    what: 'all annotations of a held Deployment taken away',
    before: held,
    patch: { metadata: { annotations: null } },
    calls: 1,
  },
  {
    what: 'the status of a held Deployment',
    before: held,
    patch: { status: { conditions: [{ type: 'Test', status: 'True' }] } },
    subresource: 'status',
    calls: 0,
  },
  {
    what: 'the scale of a held Deployment',
    before: held,
    patch: newSize,
    subresource: 'scale',
    calls: 0,
  },
  {
    what: 'the escape of a held Deployment',
    before: held,
    patch: annotate({ [ESCAPE]: 'yes' }),
    calls: 0,
  },
  {
    what: 'the whole escape, which takes the label away',
    before: held,
    patch: {
      metadata: { labels: { [WORKLOAD_TYPE]: null }, annotations: { [ESCAPE]: 'yes' } },
    },
    calls: 0,
  },
  {
    what: 'a template change after it, with the marks of an old ReplicaSet',
    before: { annotations: { ...held.annotations, [RECORD]: '{}' } },
    patch: { ...annotate({ [ESCAPE]: null }), ...newTemplate },
    calls: 0,
  },
  {
    what: 'an escape that comes with a new template, as a copy does',
    before: held,
    patch: { ...annotate({ [ESCAPE]: 'yes' }), ...newTemplate },
    calls: 1,
  },
  {
    what: 'the escape taken away from a held Deployment',
    before: { ...held, annotations: { ...held.annotations, [ESCAPE]: 'yes' } },
    patch: annotate({ [ESCAPE]: null }),
    calls: 1,
  },
  {
    what: 'a template change of an escaped Deployment',
    before: { ...guarded, annotations: { [ESCAPE]: 'yes' } },
    patch: newTemplate,
    calls: 0,
  },
  {
    what: 'a held Deployment in our own namespace',
    before: { ...held, namespace: ownNamespace },
    patch: newTemplate,
    calls: 0,
  },
]

describe('an edit', () => {
  edits.forEach(({ what, before, patch, subresource, calls }, index) => {
    test(`${what}: ${calls === 0 ? 'no call' : 'one call'}`, async () => {
      const { metadata } = await client.create(DEPLOYMENTS, deployment(`edit-${index}`, before))
      await edit(metadata, patch, subresource ? { subresource } : {})
      expect(seen(metadata.name)).toEqual(Array.from({ length: calls }, () => 'UPDATE'))
    })
  })

  test('that is a dry run says so, and a deletion is no edit', async () => {
    const { metadata } = await client.create(DEPLOYMENTS, deployment('dry', guarded))
    await edit(metadata, newTemplate, { dryRun: true })
    expect(ours('dry').map(request => request.dryRun)).toEqual([true])
    await client.remove(DEPLOYMENTS, metadata)
    expect(ours('dry')).toHaveLength(1)
  })
})

describe('a creation', () => {
  const rows: readonly [string, Metadata, readonly string[]][] = [
    ['of a stranger', {}, []],
    ['with the label', guarded, []],
    ['with a hold', { annotations: { [HOLD]: 'x' } }, ['CREATE']],
    ['with a record', { annotations: { [RECORD]: '{}' } }, ['CREATE']],
    ['with a hold and the escape', { annotations: { [HOLD]: 'x', [ESCAPE]: 'yes' } }, []],
  ]
  rows.forEach(([what, metadata, operations], index) => {
    test(`${what}: ${operations.length === 0 ? 'no call' : 'one call'}`, async () => {
      await client.create(DEPLOYMENTS, deployment(`new-${index}`, metadata))
      expect(seen(`new-${index}`)).toEqual(operations)
    })
  })
})

describe('an answer', () => {
  test('changes the object and warns the user', async () => {
    const { metadata } = await client.create(DEPLOYMENTS, deployment('answered', guarded))
    const warning = 'held at the first step, approve it with kubectl: '.repeat(8)
    answers.next = {
      allowed: true,
      patch: [{ op: 'add', path: '/spec/paused', value: true }],
      warnings: [warning],
    }
    const after = await client.mergePatch(DEPLOYMENTS, metadata, newTemplate)
    expect(after.spec.paused).toBe(true)
    expect(warned.map(line => line.trim())).toEqual([warning.trim()])
  })

  test('that refuses reaches the user in its own words', async () => {
    const { metadata } = await client.create(DEPLOYMENTS, deployment('refused', guarded))
    answers.next = { allowed: false, status: { code: 403, message: 'not during the freeze' } }
    await expect(client.mergePatch(DEPLOYMENTS, metadata, newTemplate)).rejects.toThrow(
      'not during the freeze',
    )
  })
})

test('the configuration for Rollouts is accepted as well', async () => {
  const manifest: KubeObject = validatingConfiguration({ ...reach, name: `${configurationName}-v` })
  const stored = await client.create(VALIDATING_WEBHOOKS, manifest, { dryRun: true })
  expect(stored.webhooks?.map(webhook => webhook.name)).toEqual([
    'rollouts.sluice.dev',
    'deletions.sluice.dev',
  ])
})

interface EditOptions {
  readonly subresource?: string
  readonly dryRun?: boolean
}

/**
 * One write, and what was asked during it. Guarded: the API server repeats a patch that crosses
 * with a write of the controller-manager, and asks again each time.
 */
async function edit(metadata: ObjectMeta, patch: object, options: EditOptions): Promise<void> {
  await eventually(async () => {
    const { resourceVersion } = (await client.get(DEPLOYMENTS, metadata)).metadata
    asked.length = 0
    const guardedPatch = { ...patch, metadata: { ...metadataOf(patch), resourceVersion } }
    await client.mergePatch(DEPLOYMENTS, metadata, guardedPatch, options)
  })
}

function metadataOf(patch: { readonly metadata?: object }): object {
  return patch.metadata ?? {}
}

/** What we did to it: the controller-manager, too, writes what it sees, also after the test that made it. */
function ours(name: string): readonly AdmissionRequest[] {
  return asked.filter(request => request.name === name && request.userInfo.username === user)
}

function seen(name: string): string[] {
  return ours(name).map(request => request.operation)
}
