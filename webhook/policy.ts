// The second line, as data: policies that run inside the API server, before any webhook. They catch what
// would let pods out and reach nobody of ours: they hold the workload and leave word of what the
// request carried. A living webhook undoes that in the same request; it alone knows who is held.

import {
  CAUGHT,
  CONTROLLER_MANAGER,
  ESCAPE,
  HOLD,
  RECORD,
  WAVE,
  WORKLOAD_TYPE,
} from '#api/names.ts'
import type { KubeObject } from '#api/kubernetes.ts'
import type { KindRef } from '#core/ref.ts'
import type { WorkloadAdapter } from '#core/workload/adapter.ts'
import type { Catch, Subject } from '#core/workload/catch.ts'
import { adapters, adaptersWith } from '#core/workload/registry.ts'
import {
  annotated,
  guardedNamespaces,
  guardedAlone,
  labelled,
  notEscapedEdit,
  rule,
} from './configuration.ts'
import type { MatchCondition } from './configuration.ts'

/** Where API servers serve policies, the best first. */
export const policyVersions = [
  'admissionregistration.k8s.io/v1',
  'admissionregistration.k8s.io/v1beta1',
  'admissionregistration.k8s.io/v1alpha1',
] as const

/** What differs between installations. */
export interface PolicyOptions {
  /** Name of the first policy and of its binding; those of the others begin with it. */
  readonly name: string
  /** As the API server serves it. */
  readonly apiVersion: (typeof policyVersions)[number]
  /** Our own namespace, never looked at. */
  readonly ownNamespace?: string
  /** The namespaces that are looked at; all others where there is none. */
  readonly namespaces?: readonly string[]
  /** Kinds that are released beside those that we know. */
  readonly extraKinds?: readonly KindRef[]
}

/** The policy, and the binding that makes it work, as they are sent to the API server. */
export interface PolicyManifests {
  readonly policy: Manifest
  readonly binding: Manifest
}

interface Manifest extends KubeObject {
  readonly spec: Readonly<Record<string, unknown>>
}

/** The policies, one for each kind, and their bindings. The first has the name that is given. */
export function catchingPolicies(options: PolicyOptions): readonly PolicyManifests[] {
  return adaptersWith(options.extraKinds ?? []).map(each => policyFor(options, each))
}

function policyFor(options: PolicyOptions, adapter: WorkloadAdapter): PolicyManifests {
  const { apiVersion } = options
  const how = adapter.catch
  const [group = '', version = ''] = adapter.apiVersion.split('/')
  const metadata = { name: policyName(options.name, adapter) }
  const rolls = how.rolls === undefined ? [] : [{ name: 'rolls', expression: how.rolls }]
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
          resourceRules: [rule(group, version, adapter.plural, ['UPDATE'])],
        },
        matchConditions: [notEscapedEdit, letsPodsOut(how), ...rolls],
        variables: [{ name: 'carried', expression: carriedBy(how) }],
        mutations: [
          { patchType: 'ApplyConfiguration', applyConfiguration: { expression: held(adapter) } },
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
      spec: { policyName: metadata.name },
    },
  }
}

/** Name of the policy for a kind; plurals of Kubernetes' own kinds stand alone. */
function policyName(name: string, { apiVersion, plural }: WorkloadAdapter): string {
  if (plural === adapters[0]!.plural) return name
  const [group = ''] = apiVersion.split('/')
  return `${name}-${plural}${group.includes('.') ? `.${group}` : ''}`
}

/** Else what is on it is a copy: `rollout undo` puts back what was copied to a ReplicaSet. */
const wasGuarded = labelled('oldObject', WORKLOAD_TYPE)

const wasCaught = `${wasGuarded} && ${annotated('oldObject', CAUGHT)}`

const isHeld = `${wasGuarded} && ${annotated('oldObject', HOLD)} && ${annotated('oldObject', RECORD)}`

/** Where the hold says so the owner's values apply, or are about to. */
const isHeldBack = [
  `${wasGuarded} && ${annotated('oldObject', HOLD)} && !(${annotated('oldObject', ESCAPE)})`,
  `oldObject.metadata.annotations['${HOLD}'].matches('^mode=(wave|back|stop|aborted);')`,
  `!(${waveOf('oldObject')}).matches('^(finishing|released)[.]')`,
].join(' && ')

const fromController = [
  'has(request.options) && has(request.options.fieldManager)',
  `request.options.fieldManager == '${CONTROLLER_MANAGER}'`,
].join(' && ')

/** How far a hold has come, says our controller alone; nobody else takes that away either. */
const waveMoved = `(${waveOf('object')}) != (${waveOf('oldObject')}) && !(${fromController})`

/** CEL: the label's value, nothing where there is none. */
function waveOf(subject: Subject): string {
  return `${labelled(subject, WAVE)} ? string(${subject}.metadata.labels['${WAVE}']) : ''`
}

/** Of what holds a workload: a manifest that is applied again may put the owner's values there. */
function letsPodsOut({ loosens }: Catch): MatchCondition {
  return {
    name: 'lets-pods-out',
    expression: [
      'object.spec.template != oldObject.spec.template',
      `(${wasCaught} && !(${annotated('oldObject', ESCAPE)}))`,
      `((${isHeldBack}) && (${loosens} || !(${annotated('object', HOLD)}) || ${waveMoved}))`,
    ].join(' || '),
  }
}

/** A workload that is caught already stands as the catch left it: what it carried then still counts. */
function carriedBy({ carries }: Catch): string {
  const same = `${wasCaught} && (${carries('object')}) == (${carries('oldObject')})`
  return `(${same}) ? string(oldObject.metadata.annotations['${CAUGHT}']) : (${carries('object')})`
}

/** A manifest that is put as a whole does not name it, and its next edit would meet nobody. */
function labelOf({ kind }: WorkloadAdapter): string {
  return [
    `${labelled('oldObject', WORKLOAD_TYPE)} ?`,
    `string(oldObject.metadata.labels['${WORKLOAD_TYPE}']) : '${kind.toLowerCase()}'`,
  ].join(' ')
}

/**
 * A hold that stands is kept, also by a whole object that is put without it. CEL asks for values of one
 * type, and what comes from an object has none.
 */
function held(adapter: WorkloadAdapter): string {
  const { record, spec } = adapter.catch
  const annotations = [
    `(${isHeld})`,
    `? {'${CAUGHT}': string(variables.carried), ${[HOLD, RECORD].map(keptOf).join(', ')}}`,
    `: {'${CAUGHT}': string(variables.carried), '${RECORD}': ${record}}`,
  ].join(' ')
  const label = `'${WORKLOAD_TYPE}': ${labelOf(adapter)}`
  const labels = `(${isHeld}) ? {${label}, '${WAVE}': ${waveOf('oldObject')}} : {${label}}`
  return `Object{ metadata: Object.metadata{labels: ${labels}, annotations: ${annotations}}, spec: ${spec} }`
}

function keptOf(key: string): string {
  return `'${key}': string(oldObject.metadata.annotations['${key}'])`
}
