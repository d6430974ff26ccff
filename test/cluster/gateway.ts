// The Gateway API of a test: its routes with the defaults and limits that matter, and a stand-in for the
// gateways, which tells of each route what a real one would.

import type { HTTPRoute, KubeObject } from '#api/kubernetes.ts'
import { Cache } from '#kube/cache.ts'
import type { KubeClient } from '#kube/client.ts'
import { Conflict, NotFound } from '#kube/errors.ts'
import { Reflector } from '#kube/reflector.ts'
import { CUSTOM_RESOURCES, HTTP_ROUTES, resource, SERVICES } from '#kube/resources.ts'
import type { ResourceType } from '#kube/resources.ts'
import { until } from '../../dev/until.ts'

type Schema = Readonly<Record<string, unknown>>

const text: Schema = { type: 'string' }
const anything: Schema = { 'x-kubernetes-preserve-unknown-fields': true }

function object(properties: Readonly<Record<string, Schema>>, more: Schema = {}): Schema {
  return { type: 'object', properties, ...more }
}

function list(items: Schema, more: Schema = {}): Schema {
  // As in the real definition: for server-side apply the list is one value.
  return { type: 'array', items, 'x-kubernetes-list-type': 'atomic', ...more }
}

const backendRef = object(
  {
    group: { ...text, default: '' },
    kind: { ...text, default: 'Service' },
    name: text,
    namespace: text,
    port: { type: 'integer' },
    weight: { type: 'integer', default: 1, minimum: 0, maximum: 1_000_000 },
    filters: list({ type: 'object', ...anything }),
  },
  { required: ['name'] },
)
const everything = [{ path: { type: 'PathPrefix', value: '/' } }]
const schemas = {
  HTTPRoute: schemaOf({ default: everything }),
  GRPCRoute: schemaOf({}),
}

/** `matched`: what is said of the list of matches of a rule. */
function schemaOf(matched: Schema): Schema {
  const rule = object({
    name: text,
    matches: list({ type: 'object', ...anything }, { ...matched, maxItems: 64 }),
    filters: list({ type: 'object', ...anything }),
    backendRefs: list(backendRef, { maxItems: 16 }),
  })
  const spec = object({
    parentRefs: list({ type: 'object', ...anything }),
    hostnames: list(text),
    rules: list(rule, { maxItems: 16 }),
  })
  return object({ spec, status: { type: 'object', ...anything } })
}

const group = 'gateway.networking.k8s.io'

/** `v1` GRPCRoutes, of which the same is read and written as of HTTPRoutes. */
export const GRPC_ROUTES = resource<HTTPRoute>(`${group}/v1`, 'grpcroutes', 'GRPCRoute')

/** What else a gateway reads. */
const kinds: readonly ResourceType[] = [
  GRPC_ROUTES,
  resource(`${group}/v1`, 'gatewayclasses', 'GatewayClass', false),
  resource(`${group}/v1`, 'gateways', 'Gateway'),
  resource(`${group}/v1`, 'backendtlspolicies', 'BackendTLSPolicy'),
  resource(`${group}/v1beta1`, 'referencegrants', 'ReferenceGrant'),
]

function definitionOf({ apiVersion, plural, kind, namespaced }: ResourceType, schema: Schema) {
  const name = `${plural}.${group}`
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: {
      name,
      annotations: { 'api-approved.kubernetes.io': 'unapproved, only for tests' },
    },
    spec: {
      group,
      scope: namespaced ? 'Namespaced' : 'Cluster',
      names: { kind, listKind: `${kind}List`, plural, singular: kind.toLowerCase() },
      versions: [
        {
          name: apiVersion.slice(group.length + 1),
          served: true,
          storage: true,
          subresources: { status: {} },
          schema: { openAPIV3Schema: schema },
        },
      ],
    },
  } as KubeObject
}

async function serve(client: KubeClient, type: ResourceType, schema: Schema): Promise<void> {
  await client.apply(CUSTOM_RESOURCES, definitionOf(type, schema), { fieldManager: 'gateway' })
  await until(`${type.plural} are not served`, () =>
    client.listAll(type, {}).then(
      () => true,
      error => {
        if (error instanceof NotFound) return false
        throw error
      },
    ),
  )
}

/** Routes of a kind, in a version. */
export type RouteType = ResourceType<HTTPRoute>

/** Serves routes, in one version. */
export async function serveRoutes(
  client: KubeClient,
  type: RouteType = HTTP_ROUTES,
): Promise<void> {
  await serve(client, type, schemas[type.kind as keyof typeof schemas])
}

/** Serves the other kinds of the Gateway API that a real gateway cannot do without, with no defaults. */
export async function serveOthers(client: KubeClient): Promise<void> {
  for (const type of kinds) await serve(client, type, { type: 'object', ...anything })
}

/** A gateway for all routes of the cluster. */
export interface Gateway {
  /** All routes as they are. */
  readonly routes: Cache<HTTPRoute>
  readonly stop: () => void
}

/** Watches all routes, and tells nothing of them. */
export async function watchRoutes(
  client: KubeClient,
  type: RouteType = HTTP_ROUTES,
): Promise<Gateway> {
  const routes = new Cache<HTTPRoute>()
  const ending = new AbortController()
  const reflector = new Reflector({
    client,
    type,
    cache: routes,
    project: (each: HTTPRoute) => each,
  })
  void reflector.run(ending.signal)
  await routes.synced
  return { routes, stop: () => ending.abort() }
}

/** Tells of each route that it is taken over, and whether all Services exist to which it sends requests. */
export async function startGateway(
  client: KubeClient,
  type: RouteType = HTTP_ROUTES,
): Promise<Gateway> {
  const gateway = await watchRoutes(client, type)
  const look = (route: HTTPRoute | undefined) => {
    if (route && !isTold(route)) void tell(client, type, route).catch(passOver)
  }
  gateway.routes.onChange((_, route) => look(route))
  for (const route of gateway.routes.list()) look(route)
  return gateway
}

function isTold({ metadata, status }: HTTPRoute): boolean {
  const conditions = (status?.parents ?? []).flatMap(each => each.conditions ?? [])
  const { generation } = metadata
  return conditions.length > 0 && conditions.every(each => each.observedGeneration === generation)
}

async function tell(client: KubeClient, type: RouteType, route: HTTPRoute): Promise<void> {
  const { metadata, spec: { parentRefs = [], rules = [] } = {} } = route
  const { namespace = '', generation } = metadata
  const { items } = await client.listAll(SERVICES, { namespace })
  const names = new Set(items.map(each => each.metadata.name))
  const asked = (rules as readonly { backendRefs?: readonly { name: string }[] }[]).flatMap(
    ({ backendRefs = [] }) => backendRefs.map(({ name }) => name),
  )
  const missing = asked.find(name => !names.has(name))
  const common = { observedGeneration: generation, lastTransitionTime: new Date().toISOString() }
  const conditions = [
    { ...common, type: 'Accepted', status: 'True', reason: 'Accepted', message: '' },
    missing === undefined
      ? { ...common, type: 'ResolvedRefs', status: 'True', reason: 'ResolvedRefs', message: '' }
      : {
          ...common,
          type: 'ResolvedRefs',
          status: 'False',
          reason: 'BackendNotFound',
          message: `no Service ${missing}`,
        },
  ]
  const parents = parentRefs.map(parentRef => ({
    parentRef,
    controllerName: 'example.com/gateway',
    conditions,
  }))
  const ref = { namespace, name: metadata.name }
  await client.mergePatch(
    type,
    ref,
    { metadata: { resourceVersion: metadata.resourceVersion ?? '' }, status: { parents } },
    { subresource: 'status', fieldManager: 'gateway' },
  )
}

/** Its watch is about to tell of what it met. */
function passOver(error: unknown): void {
  if (!(error instanceof Conflict) && !(error instanceof NotFound)) throw error
}
