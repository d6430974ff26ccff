// By what requests come to workloads: Services, their endpoints, and routes. They are watched from the first
// Rollout on that moves requests; until they are listed, nothing is decided about it.

import type { EndpointSlice, Service } from '#api/kubernetes.ts'
import { canaryServiceName } from '#core/traffic/canary-service.ts'
import { httpRoutes } from '#core/traffic/http-route.ts'
import type { Routing } from '#core/traffic/model.ts'
import type { Traffic } from '#core/traffic/moves.ts'
import { seeEndpoints, seeRoute, seeService } from '#core/traffic/seen.ts'
import type { EndpointsSeen, RouteSeen, ServiceSeen } from '#core/traffic/seen.ts'
import { defined } from '#core/defined.ts'
import { Cache } from '#kube/cache.ts'
import type { ReflectorNews } from '#kube/reflector.ts'
import { ENDPOINT_SLICES, HTTP_ROUTES, SERVICES } from '#kube/resources.ts'
import { rightInWords } from '#process/findings.ts'
import { untilAborted } from '#process/program.ts'
import { lookFor } from './looking.ts'
import type { Presence } from './looking.ts'
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
function namesIn(namespace: string, { service, route }: Routing): readonly string[] {
  const names = [service, canaryServiceName(service)].map(name => `Service/${name}`)
  return [...names, `HTTPRoute/${route}`].map(name => `${namespace}/${name}`)
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
  const { services, endpoints, routes } = caches
  const looking = lookForRoutes(options, routes)
  const needed = Promise.withResolvers<void>()
  let known = false
  services.onChange((before, after) => wake(nameOf('Service', (after ?? before)!)))
  routes.onChange((before, after) => wake(nameOf('HTTPRoute', (after ?? before)!)))
  endpoints.onChange((before, after) => {
    const { metadata, service } = (after ?? before)!
    wake(`${metadata.namespace}/Service/${service}`)
  })
  const learn = async () => {
    await Promise.all([services.synced, endpoints.synced, looking.known])
    known = true
    wake()
  }
  return {
    observe(namespace, routing) {
      if (!allowed) return { routing, endpoints: [], unread: NOT_ALLOWED }
      needed.resolve()
      return known ? observed(caches, looking.presence(), namespace, routing) : 'open'
    },
    *versions(namespace, { service, route }) {
      const canary = services.get(namespace, canaryServiceName(service))
      for (const each of [services.get(namespace, service), canary, routes.get(namespace, route)]) {
        if (each) yield each.metadata
      }
    },
    async run(signal) {
      await Promise.race([needed.promise, untilAborted(signal)])
      if (signal.aborted) return
      const reflections = [
        reflect<Service, ServiceSeen>(options, SERVICES, services, seeService),
        reflect<EndpointSlice, EndpointsSeen>(options, ENDPOINT_SLICES, endpoints, seeEndpoints),
        looking,
      ]
      void learn()
      await Promise.all(reflections.map(each => each.run(signal)))
    },
  }
}

interface Caches {
  readonly services: Cache<ServiceSeen>
  readonly endpoints: Cache<EndpointsSeen>
  readonly routes: Cache<RouteSeen>
}

function createCaches({ namespaces, onListenerError }: RequestsOptions): Caches {
  const inEach = { namespaces, onListenerError }
  return {
    services: new Cache(inEach),
    endpoints: new Cache({
      indexes: { service: ({ metadata, service }) => [`${metadata.namespace}/${service}`] },
      ...inEach,
    }),
    routes: new Cache(inEach),
  }
}

function lookForRoutes(options: RequestsOptions, cache: Cache<RouteSeen>) {
  const { client, namespaces, wake } = options
  return lookFor({
    client,
    ref: httpRoutes,
    registered: {
      reflect: hooks =>
        reflectOptional(options, { type: HTTP_ROUTES, cache, project: seeRoute }, hooks),
      forget: () => cache.replace([], ''),
      rights: rightsTo(httpRoutes, namespaces),
    },
    named: () => true,
    onChange: () => wake(),
  })
}

function observed(
  { services, endpoints, routes }: Caches,
  presence: Presence,
  namespace: string,
  routing: Routing,
): Traffic {
  const canary = canaryServiceName(routing.service)
  return defined({
    routing,
    service: services.get(namespace, routing.service),
    canary: services.get(namespace, canary),
    route: routes.get(namespace, routing.route),
    endpoints: [routing.service, canary].flatMap(name =>
      endpoints.byIndex('service', `${namespace}/${name}`),
    ),
    unread: unreadIn(presence),
  })
}

/** What has not been read may send requests to anybody. */
function unreadIn(presence: Presence): string | undefined {
  if (presence.is !== 'unread') return undefined
  const { missing, why } = presence
  if (missing.length === 0) return `HTTPRoutes cannot be read: ${why}`
  return `rights are missing for HTTPRoutes: ${missing.map(rightInWords).join('; ')}`
}

function nameOf(kind: string, { metadata }: ServiceSeen | RouteSeen): string {
  return `${metadata.namespace}/${kind}/${metadata.name}`
}
