// The second line, as data: a policy that runs inside the API server, before any webhook. It catches what
// would let pods out and reach nobody of ours: it pauses the workload and leaves word of what the
// request carried. A living webhook undoes that in the same request; it alone knows who is held.

import { CAUGHT, ESCAPE, HOLD, RECORD, WORKLOAD_TYPE } from '#api/names.ts'
import type { KubeObject } from '#api/kubernetes.ts'
import { caughtRecord } from '#core/workload/caught.ts'
import {
  annotated,
  guardedNamespaces,
  guardedAlone,
  labelled,
  notEscapedEdit,
  rule,
} from './configuration.ts'
import type { MatchCondition, Subject } from './configuration.ts'

/** Where API servers serve policies, the best first. */
export const policyVersions = [
  'admissionregistration.k8s.io/v1',
  'admissionregistration.k8s.io/v1beta1',
  'admissionregistration.k8s.io/v1alpha1',
] as const

/** What differs between installations. */
export interface PolicyOptions {
  /** Name of the policy and of its binding. */
  readonly name: string
  /** As the API server serves it. */
  readonly apiVersion: (typeof policyVersions)[number]
  /** Our own namespace, never looked at. */
  readonly ownNamespace?: string
  /** The namespaces that are looked at; all others where there is none. */
  readonly namespaces?: readonly string[]
}

/** The policy, and the binding that makes it work, as they are sent to the API server. */
export interface PolicyManifests {
  readonly policy: Manifest
  readonly binding: Manifest
}

interface Manifest extends KubeObject {
  readonly spec: Readonly<Record<string, unknown>>
}

/** The policy and its binding. */
export function catchingPolicy(options: PolicyOptions): PolicyManifests {
  const { name, apiVersion } = options
  const metadata = { name }
  return {
    policy: {
      apiVersion,
      kind: 'MutatingAdmissionPolicy',
      metadata,
      spec: {
        matchConstraints: {
          matchPolicy: 'Equivalent',
          namespaceSelector: guardedNamespaces(options),
          objectSelector: guardedAlone,
          resourceRules: [rule('apps', 'v1', 'deployments', ['UPDATE'])],
        },
        matchConditions: [notEscapedEdit, letsPodsOut],
        variables: [{ name: 'carried', expression: carried }],
        mutations: [
          { patchType: 'ApplyConfiguration', applyConfiguration: { expression: paused } },
        ],
        // No expression here can fail, since `has` stands before every field.
        failurePolicy: 'Fail',
        // A second time it would catch what the webhook has just judged.
        reinvocationPolicy: 'Never',
      },
    },
    binding: {
      apiVersion,
      kind: 'MutatingAdmissionPolicyBinding',
      metadata,
      spec: { policyName: name },
    },
  }
}

/** Else what is on it is a copy: `rollout undo` puts back what was copied to a ReplicaSet. */
const wasGuarded = labelled('oldObject', WORKLOAD_TYPE)

const wasCaught = `${wasGuarded} && ${annotated('oldObject', CAUGHT)}`

const isHeld = `${wasGuarded} && ${annotated('oldObject', HOLD)} && ${annotated('oldObject', RECORD)}`

/** Where the hold says so the owner's values apply, or are about to. */
const isHeldBack = [
  `${wasGuarded} && ${annotated('oldObject', HOLD)} && !(${annotated('oldObject', ESCAPE)})`,
  `oldObject.metadata.annotations['${HOLD}'].matches('^mode=(wave|back|stop|aborted);')`,
].join(' && ')

/** What holds a workload: a manifest that is applied again may put the owner's values there. */
const loosened = [
  ...['strategy', 'minReadySeconds', 'progressDeadlineSeconds', 'paused'].map(differs),
  `!(${annotated('object', HOLD)})`,
]
  .map(each => `(${each})`)
  .join(' || ')

const letsPodsOut: MatchCondition = {
  name: 'lets-pods-out',
  expression: [
    'object.spec.template != oldObject.spec.template',
    `(${wasCaught} && !(${annotated('oldObject', ESCAPE)}))`,
    `((${isHeldBack}) && (${loosened}))`,
  ].join(' || '),
}

/** A workload that is caught already is paused by the catch: what it carried then still counts. */
const carried = [
  `!(${isPaused('object')}) ? 'running'`,
  `(${wasCaught} && ${isPaused('oldObject')})`,
]
  .join(' : ')
  .concat(` ? oldObject.metadata.annotations['${CAUGHT}'] : 'paused'`)

const record = `variables.carried == 'paused' ? ${quoted(caughtRecord('paused'))} : ${quoted(caughtRecord('running'))}`

/**
 * A hold that stands is kept, also by a whole object that is put without it. CEL asks for values of one
 * type, and what comes from an object has none.
 */
const annotations = [
  `(${isHeld})`,
  `? {'${CAUGHT}': string(variables.carried), ${[HOLD, RECORD].map(keptOf).join(', ')}}`,
  `: {'${CAUGHT}': string(variables.carried), '${RECORD}': ${record}}`,
].join(' ')

/** A manifest that is put as a whole does not name it, and its next edit would meet nobody. */
const label = [
  `${labelled('oldObject', WORKLOAD_TYPE)} ?`,
  `string(oldObject.metadata.labels['${WORKLOAD_TYPE}']) : 'deployment'`,
].join(' ')

const paused = [
  'Object{',
  `metadata: Object.metadata{labels: {'${WORKLOAD_TYPE}': ${label}}, annotations: ${annotations}},`,
  'spec: Object.spec{paused: true}',
  '}',
].join(' ')

function keptOf(key: string): string {
  return `'${key}': string(oldObject.metadata.annotations['${key}'])`
}

function isPaused(subject: Subject): string {
  return `has(${subject}.spec.paused) && ${subject}.spec.paused`
}

function differs(field: string): string {
  const [now, was] = [`object.spec.${field}`, `oldObject.spec.${field}`]
  return `has(${now}) != has(${was}) || (has(${now}) && ${now} != ${was})`
}

function quoted(text: string): string {
  return `'${text}'`
}
