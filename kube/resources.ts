// The kinds of objects that the product reads and writes, and where the API server serves them.
// A ResourceType carries the TypeScript type of its objects, so the client's answers are typed.
import type {
  ConfigMap,
  ControllerRevision,
  Deployment,
  EndpointSlice,
  HTTPRoute,
  IntOrPercent,
  KubeObject,
  Pod,
  ReplicaSet,
  Service,
} from '#api/kubernetes.ts'
import { API_VERSION, GROUP, OLDER_API_VERSION } from '#api/names.ts'
import type { Rollout } from '#api/rollout.generated.ts'
import type { TrafficRouting } from '#api/trafficrouting.generated.ts'

/** One kind of object as the API server serves it. */
export interface ResourceType<T extends KubeObject = KubeObject> {
  /** `v1` or `group/version`. */
  readonly apiVersion: string
  /** The lower-case plural in the URL. */
  readonly plural: string
  readonly kind: string
  readonly namespaced: boolean
  /** Never set: it only ties the type of the objects to this value. */
  readonly objectType?: T
}

/** Names one object; cluster-wide kinds have no namespace. */
export interface ObjectRef {
  readonly namespace?: string
  readonly name: string
}

/** `v1` Secret; the values of `data` are base64. */
export interface Secret extends KubeObject {
  readonly type?: string
  readonly data?: Readonly<Record<string, string>>
}

/** `coordination.k8s.io/v1` Lease; the times are MicroTime strings. */
export interface Lease extends KubeObject {
  readonly spec?: {
    readonly holderIdentity?: string
    readonly leaseDurationSeconds?: number
    readonly acquireTime?: string
    readonly renewTime?: string
    readonly leaseTransitions?: number
  }
}

/** Whom the API server calls: a Service, or a URL. */
export interface CalledWebhook {
  /** Base64 of PEM. */
  readonly caBundle?: string
  readonly url?: string
  readonly service?: { readonly namespace: string; readonly name: string }
}

/** One webhook of a webhook configuration. */
export interface RegisteredWebhook {
  readonly name: string
  readonly clientConfig: CalledWebhook
}

/** `admissionregistration.k8s.io/v1` mutating or validating webhook configuration. */
export interface WebhookConfiguration extends KubeObject {
  readonly webhooks?: readonly RegisteredWebhook[]
}

/** `apiextensions.k8s.io/v1` CustomResourceDefinition, and who converts its objects. */
export interface CustomResource extends KubeObject {
  readonly spec: {
    readonly conversion?: { readonly webhook?: { readonly clientConfig?: CalledWebhook } }
  }
  /** Of all versions in which an object may be stored. */
  readonly status?: { readonly storedVersions?: readonly string[] }
}

/** `autoscaling/v2` HorizontalPodAutoscaler. */
export interface PodAutoscaler extends KubeObject {
  readonly spec: {
    readonly scaleTargetRef: { readonly kind: string; readonly name: string }
    /** 1 where it is left out. */
    readonly minReplicas?: number
    readonly maxReplicas: number
  }
}

/** `policy/v1` PodDisruptionBudget; one of the two amounts is set. */
export interface DisruptionBudget extends KubeObject {
  readonly spec: {
    readonly minAvailable?: IntOrPercent
    readonly maxUnavailable?: IntOrPercent
    readonly selector?: LabelSelector
  }
}

/** Which pods are meant; empty: all of the namespace. */
export interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>>
  readonly matchExpressions?: readonly {
    readonly key: string
    readonly operator: string
    readonly values?: readonly string[]
  }[]
}

/** Describes a kind that has no constant here. */
export function resource<T extends KubeObject = KubeObject>(
  apiVersion: string,
  plural: string,
  kind: string,
  namespaced = true,
): ResourceType<T> {
  return { apiVersion, plural, kind, namespaced }
}

/** Rollouts of the product's own API. */
export const ROLLOUTS = resource<Rollout>(API_VERSION, 'rollouts', 'Rollout')
/** TrafficRoutings, of the same API. */
export const TRAFFIC_ROUTINGS = resource<TrafficRouting>(
  OLDER_API_VERSION,
  'trafficroutings',
  'TrafficRouting',
)
/** `apps/v1` Deployments. */
export const DEPLOYMENTS = resource<Deployment>('apps/v1', 'deployments', 'Deployment')
/** `apps/v1` ReplicaSets. */
export const REPLICA_SETS = resource<ReplicaSet>('apps/v1', 'replicasets', 'ReplicaSet')
/** `apps/v1` ControllerRevisions. */
export const CONTROLLER_REVISIONS = resource<ControllerRevision>(
  'apps/v1',
  'controllerrevisions',
  'ControllerRevision',
)
/** `v1` Pods. */
export const PODS = resource<Pod>('v1', 'pods', 'Pod')
/** `v1` Services. */
export const SERVICES = resource<Service>('v1', 'services', 'Service')
/** `discovery.k8s.io/v1` EndpointSlices. */
export const ENDPOINT_SLICES = resource<EndpointSlice>(
  'discovery.k8s.io/v1',
  'endpointslices',
  'EndpointSlice',
)
/** `gateway.networking.k8s.io/v1` HTTPRoutes, which a cluster may lack. */
export const HTTP_ROUTES = resource<HTTPRoute>(
  'gateway.networking.k8s.io/v1',
  'httproutes',
  'HTTPRoute',
)
/** `v1` Namespaces. */
export const NAMESPACES = resource('v1', 'namespaces', 'Namespace', false)
/** `v1` ConfigMaps. */
export const CONFIG_MAPS = resource<ConfigMap>('v1', 'configmaps', 'ConfigMap')
/** `v1` Secrets. */
export const SECRETS = resource<Secret>('v1', 'secrets', 'Secret')
/** `v1` Events. */
export const EVENTS = resource('v1', 'events', 'Event')
/** `coordination.k8s.io/v1` Leases. */
export const LEASES = resource<Lease>('coordination.k8s.io/v1', 'leases', 'Lease')
/** Mutating webhook configurations. */
export const MUTATING_WEBHOOKS = resource<WebhookConfiguration>(
  'admissionregistration.k8s.io/v1',
  'mutatingwebhookconfigurations',
  'MutatingWebhookConfiguration',
  false,
)
/** Validating webhook configurations. */
export const VALIDATING_WEBHOOKS = resource<WebhookConfiguration>(
  'admissionregistration.k8s.io/v1',
  'validatingwebhookconfigurations',
  'ValidatingWebhookConfiguration',
  false,
)
/** HorizontalPodAutoscalers. */
export const POD_AUTOSCALERS = resource<PodAutoscaler>(
  'autoscaling/v2',
  'horizontalpodautoscalers',
  'HorizontalPodAutoscaler',
)
/** PodDisruptionBudgets. */
export const DISRUPTION_BUDGETS = resource<DisruptionBudget>(
  'policy/v1',
  'poddisruptionbudgets',
  'PodDisruptionBudget',
)
/** Policies that change what is written, and what binds them, of any version that is served. */
export function mutatingPolicies(apiVersion: string) {
  return policiesOf(apiVersion, 'Mutating')
}
function policiesOf(apiVersion: string, what: 'Mutating' | 'Validating') {
  const [plural, kind] = [`${what.toLowerCase()}admissionpolic`, `${what}AdmissionPolicy`]
  return {
    policies: resource(apiVersion, `${plural}ies`, kind, false),
    bindings: resource(apiVersion, `${plural}ybindings`, `${kind}Binding`, false),
  } as const
}
/** Policies that judge what is written, and what binds them. */
export const VALIDATING_POLICIES = policiesOf('admissionregistration.k8s.io/v1', 'Validating')
/** Custom resource definitions. */
export const CUSTOM_RESOURCES = resource<CustomResource>(
  'apiextensions.k8s.io/v1',
  'customresourcedefinitions',
  'CustomResourceDefinition',
  false,
)

/** Name of the definition of Rollouts. */
export const ROLLOUTS_DEFINITION = `${ROLLOUTS.plural}.${GROUP}`

/** Gives the URL path of a kind, of one object, or of a subresource of it. */
export function pathOf(type: ResourceType, at: Partial<ObjectRef>, subresource?: string): string {
  const root = type.apiVersion.includes('/') ? 'apis' : 'api'
  const parts = [root, ...type.apiVersion.split('/')]
  if (type.namespaced && at.namespace !== undefined) parts.push('namespaces', at.namespace)
  parts.push(type.plural)
  if (at.name !== undefined) {
    if (at.name === '') throw new TypeError(`${type.kind}: the name is empty, give metadata.name`)
    // Without its namespace the path would mean a list of all namespaces' objects.
    if (type.namespaced && at.namespace === undefined) {
      throw new TypeError(`${type.kind} ${at.name}: no namespace, give metadata.namespace`)
    }
    parts.push(at.name)
  }
  if (subresource !== undefined) parts.push(subresource)
  return `/${parts.map(encodeURIComponent).join('/')}`
}
