// The two webhook configurations, as data. They say when the API server calls us: match conditions
// keep every call away that cannot matter, so status, scaling and strangers cost nothing.

import {
  API_VERSION,
  CAUGHT,
  ESCAPE,
  GROUP,
  HOLD,
  PROBE,
  RECORD,
  TRAFFIC,
  WORKLOAD_TYPE,
} from '#api/names.ts'
import type { KindRef } from '#core/ref.ts'
import type { Subject } from '#core/workload/catch.ts'
import { trafficProviders } from '#core/traffic/registry.ts'
import { adapters } from '#core/workload/registry.ts'

/** How the API server reaches us: by URL (development), or by a Service of the cluster. */
export type Reach =
  | { readonly url: string }
  | {
      readonly service: {
        readonly namespace: string
        readonly name: string
        /** 443 unless given. */
        readonly port?: number
      }
    }

/** What differs between installations. */
export type ConfigurationOptions = Reach & {
  /** The configuration's own name. */
  readonly name: string
  /** What happens to a write when no answer comes. */
  readonly failurePolicy: 'Fail' | 'Ignore'
  /** PEM of the CAs to trust; left out where it is injected later. */
  readonly caBundle?: string
  /** Our own namespace: no workload of it is looked at, so that we cannot lock ourselves out. */
  readonly ownNamespace?: string
  /** The namespaces that are looked at; none: all others. */
  readonly namespaces?: readonly string[]
  /** Kinds that are released beside those that we know. */
  readonly extraKinds?: readonly KindRef[]
  /** Kinds by which requests are moved beside those that we know. */
  readonly routeKinds?: readonly KindRef[]
}

/** One CEL condition of a webhook; all must hold for a call. */
export interface MatchCondition {
  readonly name: string
  readonly expression: string
}

/** A webhook configuration as it is sent to the API server. */
export interface WebhookManifest {
  readonly apiVersion: 'admissionregistration.k8s.io/v1'
  readonly kind: 'MutatingWebhookConfiguration' | 'ValidatingWebhookConfiguration'
  readonly metadata: { readonly name: string }
  readonly webhooks: readonly Readonly<Record<string, unknown>>[]
}

/**
 * Calls us at /admit for edits of guarded workloads that matter, and for new workloads that carry
 * somebody's hold.
 */
export function mutatingConfiguration(options: ConfigurationOptions): WebhookManifest {
  const shared = { ...webhook(options, '/admit'), reinvocationPolicy: 'IfNeeded' }
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingWebhookConfiguration',
    metadata: { name: options.name },
    webhooks: [
      {
        ...shared,
        name: 'workloads.sluice.dev',
        rules: workloads(options, ['UPDATE']),
        // The selector holds for the object or the old one: taking the label away does not hide.
        objectSelector: guardedAlone,
        matchConditions: [notEscapedEdit, matters],
      },
      {
        ...shared,
        name: 'copies.sluice.dev',
        rules: workloads(options, ['CREATE']),
        matchConditions: [notEscaped, carriesHold],
      },
      {
        ...shared,
        name: 'traffic.sluice.dev',
        rules: rulesFor([...trafficProviders, ...(options.routeKinds ?? [])], ['CREATE', 'UPDATE']),
        matchConditions: [notEscaped, carriesWish],
      },
      probe(options),
    ],
  }
}

/** Calls us for what the controller asks in our own namespace, to learn whether we are reached. */
function probe(options: ConfigurationOptions) {
  const { name, ownNamespace } = options
  return {
    ...webhook(options, '/admit'),
    // The error says why we are not reached. It meets nobody else, and nothing that is stored.
    failurePolicy: 'Fail',
    reinvocationPolicy: 'Never',
    name: 'probe.sluice.dev',
    ...(ownNamespace !== undefined && { namespaceSelector: within([ownNamespace]) }),
    rules: [rule('coordination.k8s.io', 'v1', 'leases', ['CREATE'])],
    objectSelector: { matchLabels: { [PROBE]: name } },
    matchConditions: [{ name: 'dry-run', expression: 'has(request.dryRun) && request.dryRun' }],
  }
}

/** Calls us at /validate for every write of a Rollout. */
export function validatingConfiguration(options: ConfigurationOptions): WebhookManifest {
  const version = API_VERSION.slice(GROUP.length + 1)
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'ValidatingWebhookConfiguration',
    metadata: { name: options.name },
    webhooks: [
      {
        ...webhook(options, '/validate'),
        name: 'rollouts.sluice.dev',
        rules: [rule(GROUP, version, 'rollouts', ['CREATE', 'UPDATE'])],
      },
      {
        ...webhook(options, '/validate'),
        name: 'deletions.sluice.dev',
        // It only warns: nothing of ours may keep an object, or its namespace, from being deleted.
        failurePolicy: 'Ignore',
        rules: [rule(GROUP, version, 'rollouts', ['DELETE'])],
      },
    ],
  }
}

/** The workloads that a Rollout guards. */
export const guardedAlone = { matchExpressions: [{ key: WORKLOAD_TYPE, operator: 'Exists' }] }

const notEscaped: MatchCondition = {
  name: 'not-escaped',
  expression: `!(${annotated('object', ESCAPE)})`,
}

/**
 * As above, but an escape that arrives together with another template is a copy: `rollout undo`
 * brings back what the controller-manager has copied to a ReplicaSet.
 */
export const notEscapedEdit: MatchCondition = {
  name: 'not-escaped',
  expression: [
    notEscaped.expression,
    `object.spec.template != oldObject.spec.template && !(${annotated('oldObject', ESCAPE)})`,
  ].join(' || '),
}

const matters: MatchCondition = {
  name: 'matters',
  expression: [
    'object.spec.template != oldObject.spec.template',
    annotated('oldObject', HOLD),
    annotated('object', HOLD),
    annotated('object', RECORD),
    annotated('oldObject', CAUGHT),
    annotated('object', CAUGHT),
    `(${labelled('oldObject', WORKLOAD_TYPE)}) && !(${labelled('object', WORKLOAD_TYPE)})`,
  ].join(' || '),
}

const carriesHold: MatchCondition = {
  name: 'carries-a-hold',
  expression: [HOLD, RECORD, CAUGHT].map(key => annotated('object', key)).join(' || '),
}

/** Nothing was there before a creation. */
const carriesWish: MatchCondition = {
  name: 'carries-a-wish',
  expression: [TRAFFIC, RECORD]
    .flatMap(key => [
      annotated('object', key),
      `oldObject != null && ${annotated('oldObject', key)}`,
    ])
    .join(' || '),
}

/** The API server puts it on every namespace. */
const NAMESPACE_NAME = 'kubernetes.io/metadata.name'

/**
 * CEL: the object carries the annotation. `has` first: a field that is missing is an error, and an error
 * is a call, or a refusal.
 */
export function annotated(subject: Subject, key: string): string {
  return `has(${subject}.metadata.annotations) && '${key}' in ${subject}.metadata.annotations`
}

/** CEL: the object carries the label. */
export function labelled(subject: Subject, key: string): string {
  return `has(${subject}.metadata.labels) && '${key}' in ${subject}.metadata.labels`
}

/** Writes of every kind that can be released. A rule may name what the API server does not serve. */
export function workloads(
  { extraKinds = [] }: Pick<ConfigurationOptions, 'extraKinds'>,
  operations: readonly string[],
) {
  return rulesFor([...adapters, ...extraKinds], operations)
}

function rulesFor(
  kinds: readonly Pick<KindRef, 'apiVersion' | 'plural'>[],
  operations: readonly string[],
) {
  return kinds.map(({ apiVersion, plural }) => {
    // The core group has no name.
    const [version = '', group = ''] = apiVersion.split('/').toReversed()
    return rule(group, version, plural, operations)
  })
}

/** One rule: which writes of which resource. */
export function rule(
  group: string,
  version: string,
  resource: string,
  operations: readonly string[],
) {
  return {
    apiGroups: [group],
    apiVersions: [version],
    resources: [resource],
    operations,
    scope: 'Namespaced',
  }
}

function webhook(options: ConfigurationOptions, path: string) {
  const { failurePolicy } = options
  return {
    clientConfig: clientConfig(options, path),
    failurePolicy,
    matchPolicy: 'Equivalent',
    sideEffects: 'None',
    timeoutSeconds: 3,
    admissionReviewVersions: ['v1'],
    namespaceSelector: guardedNamespaces(options),
  }
}

/** Never kube-system, nor our own namespace; those alone that are named, where some are. */
export function guardedNamespaces({
  ownNamespace,
  namespaces = [],
}: Pick<ConfigurationOptions, 'ownNamespace' | 'namespaces'>) {
  const excluded = ['kube-system', ...(ownNamespace === undefined ? [] : [ownNamespace])]
  return {
    matchExpressions: [
      { key: NAMESPACE_NAME, operator: 'NotIn', values: excluded },
      ...(namespaces.length === 0
        ? []
        : [{ key: NAMESPACE_NAME, operator: 'In', values: namespaces }]),
    ],
  }
}

function within(values: readonly string[]) {
  return { matchExpressions: [{ key: NAMESPACE_NAME, operator: 'In', values }] }
}

function clientConfig(options: ConfigurationOptions, path: string) {
  const { caBundle } = options
  return {
    ...('url' in options
      ? { url: `${options.url.replace(/\/+$/, '')}${path}` }
      : { service: { port: 443, ...options.service, path } }),
    ...(caBundle === undefined ? {} : { caBundle: Buffer.from(caBundle).toString('base64') }),
  }
}
