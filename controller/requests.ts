// By what requests come to workloads: Services, their endpoints, and routes. They are watched from the first
// Rollout on that moves requests; until they are listed, nothing is decided about it.

import type { EndpointSlice, KubeObject, Service } from '#api/kubernetes.ts'
import { canaryServiceName } from '#core/traffic/canary-service.ts'
import type { RouteRef, Routing } from '#core/traffic/model.ts'
import type { Traffic } from '#core/traffic/moves.ts'
import { routerOf, routers } from '#core/traffic/registry.ts'
import type { RouteFound, Router } from '#core/traffic/router.ts'
import { seeEndpoints, seeService } from '#core/traffic/seen.ts'
import type { EndpointsSeen, ServiceSeen } from '#core/traffic/seen.ts'
import type { Seen } from '#core/workload/seen.ts'
import { defined } from '#core/defined.ts'
import { Cache } from '#kube/cache.ts'
import type { ReflectorNews } from '#kube/reflector.ts'
import { ENDPOINT_SLICES, resource, SERVICES } from '#kube/resources.ts'
import { rightInWords } from '#process/findings.ts'
import { untilAborted } from '#process/program.ts'
import { lookFor } from './looking.ts'
import type { Looking } from './looking.ts'
import type { Version } from './own-writes.ts'
import { reflect, reflectOptional } from './reflections.ts'
import type { ReflectOptions } from './reflections.ts'
import { rightsTo } from './rights.ts'

/** What is known of them. */
export interface Requests {
  /** `open`: nothing yet. */
  readonly observe: (namespace: string, routing: Routing) => Traffic | 'open'
  /** The versions of all that is looked at for it. */
  readonly versions: (namespace: string, routing: Routing) => Iterable<Version>
  /** Runs until the signal aborts. */
  readonly run: (signal: AbortSignal) => Promise<unknown>
}

/** How they are watched. */
export interface RequestsOptions extends ReflectOptions {
  /** We have the rights for it. */
  readonly routes: boolean
  /** Called with what has changed; undefined: it may be anything. */
  readonly wake: (changed?: string) => void
  readonly onNews: (resource: string, news: ReflectorNews) => void
  readonly onListenerError: (error: unknown) => void
}

/** Under what a workload is found, when one of the objects changes by which its requests come. */
function namesIn(namespace: string, { service, routes }: Routing): readonly string[] {
  const names = [service, canaryServiceName(service)].map(name => `Service/${name}`)
  const ways = routes.map(({ kind, name }) => `${kind}/${name}`)
  return [...names, ...ways].map(name => `${namespace}/${name}`)
}

/** The same, where there may be no routing. */
export function routedNames(
  namespace: string | undefined,
  routing: Routing | undefined,
): readonly string[] {
  return namespace !== undefined && routing ? namesIn(namespace, routing) : []
}

const NOT_ALLOWED =
  'requests are not moved in this installation: install with traffic.enabled=true, or remove `trafficRoutings`'

/** Nothing is asked before somebody needs it. */
export function createRequests(options: RequestsOptions): Requests {
  const { routes: allowed, wake } = options
  const caches = createCaches(options)
  const { services, endpoints } = caches
  const kinds = routers.map(router => watchRoutes(options, router))
  const needed = Promise.withResolvers<void>()
  let known = false
  services.onChange((before, after) => wake(nameOf('Service', (after ?? before)!)))
  endpoints.onChange((before, after) => {
    const { metadata, service } = (after ?? before)!
    wake(`${metadata.namespace}/Service/${service}`)
  })
  const learn = async () => {
    await Promise.all([services.synced, endpoints.synced])
    known = true
    wake()
  }
  return {
    observe(namespace, routing) {
      if (!allowed) return { routing, routes: [], endpoints: [], unread: NOT_ALLOWED }
      needed.resolve()
      const named = kindsOf(kinds, routing)
      for (const each of named) each.need()
      const open = !known || named.some(({ looking }) => looking.presence().is === 'open')
      return open ? 'open' : observed(caches, kinds, namespace, routing)
    },
    *versions(namespace, { service, routes }) {
      const canary = services.get(namespace, canaryServiceName(service))
      const found = routes.map(ref => foundIn(kinds, namespace, ref).object)
      for (const each of [services.get(namespace, service), canary, ...found]) {
        if (each) yield each.metadata
      }
    },
    async run(signal) {
      const watching = Promise.all(kinds.map(each => each.run(signal)))
      await Promise.race([needed.promise, untilAborted(signal)])
      if (signal.aborted) return
      const reflections = [
        reflect<Service, ServiceSeen>(options, SERVICES, services, seeService),
        reflect<EndpointSlice, EndpointsSeen>(options, ENDPOINT_SLICES, endpoints, seeEndpoints),
      ]
      void learn()
      await Promise.all([watching, ...reflections.map(each => each.run(signal))])
    },
  }
}

interface Caches {
  readonly services: Cache<ServiceSeen>
  readonly endpoints: Cache<EndpointsSeen>
}

function createCaches({ namespaces, onListenerError }: RequestsOptions): Caches {
  const inEach = { namespaces, onListenerError }
  return {
    services: new Cache(inEach),
    endpoints: new Cache({
      indexes: { service: ({ metadata, service }) => [`${metadata.namespace}/${service}`] },
      ...inEach,
    }),
  }
}

/** Routes of one kind. */
interface RouteKind {
  readonly router: Router
  readonly cache: Cache<Seen>
  readonly looking: Looking
  /** A Rollout names one. */
  readonly need: () => void
  /** Runs until the signal aborts. */
  readonly run: (signal: AbortSignal) => Promise<void>
}

function watchRoutes(options: RequestsOptions, router: Router): RouteKind {
  const { client, namespaces, onListenerError, wake } = options
  const { apiVersion, kind, plural } = router
  const cache = new Cache<Seen>({ namespaces, onListenerError })
  cache.onChange((before, after) => wake(nameOf(kind, (after ?? before)!)))
  const needed = Promise.withResolvers<void>()
  const type = resource(apiVersion, plural, kind)
  const project = (object: KubeObject) => router.see(object)
  const looking = lookFor({
    client,
    ref: router,
    registered: {
      reflect: hooks => reflectOptional(options, { type, cache, project }, hooks),
      forget: () => cache.replace([], ''),
      rights: rightsTo(router, namespaces),
    },
    named: () => true,
    onChange: () => wake(),
  })
  return {
    router,
    cache,
    looking,
    need: () => needed.resolve(),
    async run(signal) {
      await Promise.race([needed.promise, untilAborted(signal)])
      if (!signal.aborted) await looking.run(signal)
    },
  }
}

function kindsOf(kinds: readonly RouteKind[], { routes }: Routing): readonly RouteKind[] {
  return kinds.filter(({ router }) => routes.some(ref => routerOf(ref) === router))
}

function observed(
  { services, endpoints }: Caches,
  kinds: readonly RouteKind[],
  namespace: string,
  routing: Routing,
): Traffic {
  const canary = canaryServiceName(routing.service)
  return defined({
    routing,
    service: services.get(namespace, routing.service),
    canary: services.get(namespace, canary),
    routes: routing.routes.map(ref => foundIn(kinds, namespace, ref)),
    endpoints: [routing.service, canary].flatMap(name =>
      endpoints.byIndex('service', `${namespace}/${name}`),
    ),
    unread: kindsOf(kinds, routing)
      .map(unreadIn)
      .find(why => why !== undefined),
  })
}

function foundIn(kinds: readonly RouteKind[], namespace: string, ref: RouteRef): RouteFound {
  const kind = kinds.find(({ router }) => router === routerOf(ref))
  return defined({ ref, object: kind?.cache.get(namespace, ref.name) })
}

/** What has not been read may send requests to anybody. */
function unreadIn({ router, looking }: RouteKind): string | undefined {
  const presence = looking.presence()
  if (presence.is !== 'unread') return undefined
  const { missing, why } = presence
  if (missing.length === 0) return `${router.kind}s cannot be read: ${why}`
  return `rights are missing for ${router.kind}s: ${missing.map(rightInWords).join('; ')}`
}

function nameOf(kind: string, { metadata }: Seen): string {
  return `${metadata.namespace}/${kind}/${metadata.name}`
}
