// CRDs of the kinds that stand-ins run, with schemas of their own: structural, as small as the fields that
// matter, and with the defaults that Kruise's own webhook sets.

import { randomUUID } from 'node:crypto'

import type { KubeObject } from '#api/kubernetes.ts'
import { WORKLOAD_TYPE } from '#api/names.ts'
import type { KubeClient } from '#kube/client.ts'
import { Retryable } from '#kube/errors.ts'
import { CUSTOM_RESOURCES } from '#kube/resources.ts'
import type { ResourceType } from '#kube/resources.ts'
import { listable } from '../../../dev/listable.ts'
import { until } from '../../../dev/until.ts'
import { workloadOf } from '../manifests.ts'
import {
  CLONE_SETS,
  KRUISE_DAEMON_SETS,
  KRUISE_STATEFUL_SETS,
  KRUISE_STATEFUL_SETS_ALPHA,
  SHARDS,
} from './resources.ts'

type Schema = Readonly<Record<string, unknown>>

const integer: Schema = { type: 'integer', format: 'int32' }
const text: Schema = { type: 'string' }
const flag: Schema = { type: 'boolean' }
const amount: Schema = {
  'x-kubernetes-int-or-string': true,
  anyOf: [{ type: 'integer' }, { type: 'string' }],
}
const anything: Schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }
const rest: Schema = { 'x-kubernetes-preserve-unknown-fields': true }

function or(schema: Schema, value: unknown): Schema {
  return { ...schema, default: value }
}

function object(properties: Readonly<Record<string, Schema>>, more: Schema = {}): Schema {
  return { type: 'object', properties, ...more }
}

/** The fields that all of them have; `replicas` only where there is a number of them. */
const template = { selector: anything, template: anything }
const scaled = { ...template, replicas: or({ ...integer, minimum: 0 }, 1) }
const history = { revisionHistoryLimit: or(integer, 10), minReadySeconds: integer }

/** Counters and revisions are kept as they are written: nothing here depends on their schema. */
const status = object({ observedGeneration: { type: 'integer', format: 'int64' } }, rest)

const cloneSetSpec = object(
  {
    ...scaled,
    ...history,
    updateStrategy: object(
      {
        type: or(text, 'ReCreate'),
        partition: or(amount, 0),
        maxUnavailable: or(amount, '20%'),
        maxSurge: or(amount, 0),
        paused: flag,
      },
      { ...rest, default: {} },
    ),
  },
  { ...rest, required: ['selector', 'template'] },
)

const statefulSetSpec = object(
  {
    ...scaled,
    revisionHistoryLimit: or(integer, 10),
    serviceName: text,
    podManagementPolicy: or(text, 'OrderedReady'),
    updateStrategy: object(
      {
        type: or(text, 'RollingUpdate'),
        rollingUpdate: object(
          {
            partition: or(integer, 0),
            maxUnavailable: or(amount, 1),
            podUpdatePolicy: or(text, 'ReCreate'),
            minReadySeconds: or(integer, 0),
            paused: flag,
            unorderedUpdate: anything,
          },
          { ...rest, default: {} },
        ),
      },
      { default: {} },
    ),
  },
  { ...rest, required: ['selector', 'template'] },
)

const daemonSetSpec = object(
  {
    ...template,
    ...history,
    updateStrategy: object(
      {
        type: or(text, 'RollingUpdate'),
        rollingUpdate: object(
          {
            type: or(text, 'Standard'),
            partition: or(amount, 0),
            maxUnavailable: or(amount, 1),
            maxSurge: or(amount, 0),
            paused: flag,
            selector: anything,
          },
          { default: {} },
        ),
      },
      { default: {} },
    ),
  },
  { ...rest, required: ['selector', 'template'] },
)

/** Nobody's webhook gives it defaults: all of `updateStrategy` may be missing. */
const shardSpec = object(
  {
    ...scaled,
    revisionHistoryLimit: integer,
    updateStrategy: object({
      type: text,
      rollingUpdate: object({ partition: integer, paused: flag }),
    }),
  },
  { ...rest, required: ['selector', 'template'] },
)

const scale = {
  specReplicasPath: '.spec.replicas',
  statusReplicasPath: '.status.replicas',
  labelSelectorPath: '.status.labelSelector',
}

/** One CRD; of several versions the first one is stored. */
function crd(types: readonly [ResourceType, ...ResourceType[]], spec: Schema, scales = true) {
  const [{ apiVersion, plural, kind }] = types
  const [group] = apiVersion.split('/')
  const versions = types.map((type, index) => ({
    name: type.apiVersion.split('/')[1],
    served: true,
    storage: index === 0,
    subresources: { status: {}, ...(scales && { scale }) },
    schema: { openAPIV3Schema: object({ spec, status }) },
  }))
  const names = { kind, plural, listKind: `${kind}List`, singular: kind.toLowerCase() }
  return {
    apiVersion: CUSTOM_RESOURCES.apiVersion,
    kind: CUSTOM_RESOURCES.kind,
    metadata: { name: `${plural}.${group}` },
    spec: { group, scope: 'Namespaced', names, versions },
  } as KubeObject
}

const definitions = [
  crd([CLONE_SETS], cloneSetSpec),
  crd([KRUISE_STATEFUL_SETS, KRUISE_STATEFUL_SETS_ALPHA], statefulSetSpec),
  crd([KRUISE_DAEMON_SETS], daemonSetSpec, false),
  crd([SHARDS], shardSpec),
]

/** Serves the kinds, and waits until they may be edited; may be called again, and by several at once. */
export async function serveKinds(client: KubeClient): Promise<void> {
  const served = [CLONE_SETS, KRUISE_STATEFUL_SETS, KRUISE_DAEMON_SETS, SHARDS]
  for (const definition of definitions) {
    await client.apply(CUSTOM_RESOURCES, definition, { fieldManager: 'kinds', force: true })
  }
  await Promise.all([...served, KRUISE_STATEFUL_SETS_ALPHA].map(type => listable(client, type)))
  await Promise.all(served.map(type => isKnown(client, type)))
}

/** Until its policies know a new kind, the API server refuses an edit of a guarded object. */
async function isKnown(client: KubeClient, type: ResourceType): Promise<void> {
  const ref = { namespace: 'default', name: `known-${randomUUID()}` }
  const containers = [{ name: 'app', image: 'app:1' }]
  const template = { spec: { nodeSelector: { 'no-node': 'has-it' }, containers } }
  const object = workloadOf(ref.namespace, { kind: type, replicas: 0, spec: { template } })
  await client.create(type, { ...object, metadata: ref })
  const guard = { labels: { [WORKLOAD_TYPE]: type.kind.toLowerCase() } }
  const edit = { metadata: guard, spec: { template: { metadata: { annotations: { a: 'b' } } } } }
  const isTaken = async () => {
    try {
      await client.mergePatch(type, ref, edit, { dryRun: true })
      return true
    } catch (error) {
      if (error instanceof Retryable) return false
      throw error
    }
  }
  await until(`the policies do not know ${type.apiVersion} ${type.plural}`, isTaken, 120_000)
  await client.remove(type, ref)
}
