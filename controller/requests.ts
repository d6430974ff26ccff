// By what requests come to workloads: Services, their endpoints, and routes. They are watched from the first
// Rollout on that moves requests; until they are listed, nothing is decided about it.

import type { ConfigMap, EndpointSlice, KubeObject, Service } from '#api/kubernetes.ts'
import { MADE_FOR, OWN_SCRIPTS, TRAFFIC } from '#api/names.ts'
import { groupOf, isSameKind } from '#core/ref.ts'
import type { KindRef } from '#core/ref.ts'
import type { Answers } from '#core/script.ts'
import type { Seen } from '#core/seen.ts'
import { servicesOf } from '#core/traffic/canary-service.ts'
import { routingLeft, workloadsOf } from '#core/traffic/left.ts'
import type { WishedRoute } from '#core/traffic/left.ts'
import type { RouteRef, Routing } from '#core/traffic/model.ts'
import type { Traffic } from '#core/traffic/routed.ts'
import { routerOf, routersWith } from '#core/traffic/registry.ts'
import type { RouteFound, Router } from '#core/traffic/router.ts'
import { seeEndpoints, seeService } from '#core/traffic/seen.ts'
import type { EndpointsSeen, ServiceSeen } from '#core/traffic/seen.ts'
import { defined } from '#core/defined.ts'
import { Cache } from '#kube/cache.ts'
import { NotFound } from '#kube/errors.ts'
import { CONFIG_MAPS, ENDPOINT_SLICES, resource, SERVICES } from '#kube/resources.ts'
import type { ResourceType } from '#kube/resources.ts'
import { isOursAlone, scriptFor } from '#lua/library.ts'
import { untilAborted } from '#process/program.ts'
import type { Version } from './own-writes.ts'
import { reflect } from './reflections.ts'
import { rightsToRoutes, rightsToScripts } from './rights.ts'
import { seek } from './sought.ts'
import type { Sought, SoughtOptions } from './sought.ts'

/** What is known of them. */
export interface Requests {
  /** `open`: nothing yet. */
  readonly observe: (namespace: string, routing: Routing) => Traffic | 'open'
  /** All routes are watched from now on, whoever names them. `open`: they are not known yet; else why not, if so. */
  readonly all: () => 'open' | { readonly unread?: string }
  /** What is left for a workload that nobody remembers; nothing before it has been looked for. */
  readonly left: (key: string) => Routing | undefined
  /** Keys of all workloads for whose pods there is a wish. */
  readonly keys: () => readonly string[]
  /** Looks whether there is one: then all is watched, whether somebody needs it or not. */
  readonly search: () => Promise<void>
  /** The versions of all that is looked at for it. */
  readonly versions: (namespace: string, routing: Routing) => Iterable<Version>
  /** Runs until the signal aborts. */
  readonly run: (signal: AbortSignal) => Promise<unknown>
}

/** How they are watched. */
export interface RequestsOptions extends SoughtOptions {
  /** We have the rights for it. */
  readonly routes: boolean
  /** Our own namespace, in which users keep scripts. */
  readonly namespace: string
  /** What scripts have said. */
  readonly answers: Answers
  /** Kinds beside those that we know by which requests are moved. */
  readonly routeKinds: readonly KindRef[]
}

/** Under what a workload is found, when one of the objects changes by which its requests come. */
function namesIn(namespace: string, routing: Routing): readonly string[] {
  const ways = routing.routes.flatMap(ref => {
    const made = routerOf(ref)?.makes?.(ref.name)
    return [ref.name, ...(made === undefined ? [] : [made])].map(name => `${ref.kind}/${name}`)
  })
  const names = servicesOf(routing).map(name => `Service/${name}`)
  return [...names, ...ways].map(name => `${namespace}/${name}`)
}

/** The same, where there may be no routing. */
export function routedNames(
  namespace: string | undefined,
  routing: Routing | undefined,
): readonly string[] {
  return namespace !== undefined && routing ? namesIn(namespace, routing) : []
}

const NOT_MOVED = 'requests are not moved in this installation: install with traffic.enabled=true'
const NOT_ALLOWED = `${NOT_MOVED}, or remove \`trafficRoutings\``

/** Nothing is asked before somebody needs it. */
export function createRequests(options: RequestsOptions): Requests {
  const { routes: allowed, wake, answers } = options
  const caches = createCaches(options)
  const { services, endpoints, kinds, scripts } = caches
  const needed = Promise.withResolvers<void>()
  let known = false
  services.onChange((before, after) =>
    wake(nameOf('Service', (after ?? before)!), workloadsOf(before, after)),
  )
  endpoints.onChange((before, after) => {
    const { metadata, service } = (after ?? before)!
    wake(`${metadata.namespace}/Service/${service}`)
  })
  scripts.cache.onChange(() => wake())
  const learn = async () => {
    await Promise.all([services.synced, endpoints.synced])
    known = true
    wake()
  }
  return {
    observe(namespace, routing) {
      if (!allowed) return { routing, routes: [], endpoints: [], answers, unread: NOT_ALLOWED }
      needed.resolve()
      const sought = neededFor(caches, routing)
      for (const each of sought) each.need()
      if (!known || sought.some(each => each.open())) return 'open'
      const unread = unreadOf(sought)
      return defined({ ...observed(caches, namespace, routing), answers, unread })
    },
    all() {
      if (!allowed) return { unread: NOT_MOVED }
      needed.resolve()
      const served = servedIn(kinds)
      if (served.some(each => each.open())) return 'open'
      return defined({ unread: unreadOf(served) })
    },
    ...leftBehind(options, { services, kinds, need: needed.resolve }),
    *versions(namespace, routing) {
      const ends = servicesOf(routing).map(name => services.get(namespace, name))
      const found = routing.routes.map(ref => foundIn(kinds, namespace, ref))
      for (const each of [...ends, ...found.flatMap(({ object, made }) => [object, made])]) {
        if (each) yield each.metadata
      }
    },
    async run(signal) {
      const looking = Promise.all([...kinds, scripts].map(each => each.run(signal)))
      await Promise.race([needed.promise, untilAborted(signal)])
      if (signal.aborted) return
      const reflections = [
        reflect<Service, ServiceSeen>(options, SERVICES, services, seeService),
        reflect<EndpointSlice, EndpointsSeen>(options, ENDPOINT_SLICES, endpoints, seeEndpoints),
      ]
      void learn()
      await Promise.all([looking, ...reflections.map(each => each.run(signal))])
    },
  }
}

interface Caches {
  readonly services: Cache<ServiceSeen>
  readonly endpoints: Cache<EndpointsSeen>
  readonly kinds: readonly RouteKind[]
  /** The users' own. */
  readonly scripts: Sought<ConfigMap>
}

/** Routes of one kind. */
interface RouteKind extends Sought<WishedRoute> {
  readonly router: Router
}

function createCaches(options: RequestsOptions): Caches {
  const { namespaces, onListenerError } = options
  const inEach = { namespaces, onListenerError }
  return {
    services: new Cache({ indexes: { workload: each => workloadsOf(each) }, ...inEach }),
    endpoints: new Cache({
      indexes: { service: ({ metadata, service }) => [`${metadata.namespace}/${service}`] },
      ...inEach,
    }),
    kinds: routersWith(options.routeKinds).map(router => seekRoutes(options, router)),
    scripts: seekScripts(options),
  }
}

/** Where what is left behind is found. */
interface Places {
  readonly services: Cache<ServiceSeen>
  readonly kinds: readonly RouteKind[]
  /** Services are watched from now on. */
  readonly need: () => void
}

function leftBehind(
  options: RequestsOptions,
  { services, kinds, need }: Places,
): Pick<Requests, 'left' | 'keys' | 'search'> {
  return {
    left(key) {
      const routes = kinds.flatMap(({ router, cache }) =>
        cache.byIndex('workload', key).map(each => [refTo(router, each), each] as const),
      )
      return routingLeft(services.byIndex('workload', key), routes)
    },
    keys() {
      const caches = [services, ...kinds.map(({ cache }) => cache)]
      return caches.flatMap(cache => cache.list().flatMap(each => workloadsOf(each)))
    },
    async search() {
      if (!options.routes) return
      const found = [
        isAnyWished(options, SERVICES),
        ...inVersions(kinds).map(async versions => {
          for (const kind of versions) {
            const is = await isAnyWished(options, typeOf(kind.router))
            if (is) kind.need()
            if (is !== undefined) return is
          }
          return false
        }),
      ]
      if ((await Promise.all(found)).includes(true)) need()
    },
  }
}

/** Those of one kind together. */
function inVersions(kinds: readonly RouteKind[]): readonly (readonly RouteKind[])[] {
  const key = ({ router }: RouteKind) => `${groupOf(router)}/${router.kind}`
  return [...Map.groupBy(kinds, key).values()]
}

/** Whoever cannot be read may carry one. Undefined: the cluster does not have the kind in that version. */
async function isAnyWished(
  { client, namespaces }: RequestsOptions,
  type: ResourceType,
): Promise<boolean | undefined> {
  const places = namespaces.length === 0 ? [{}] : namespaces.map(namespace => ({ namespace }))
  const lists = places.map(async place => {
    try {
      const { items } = await client.listProjected(type, place, isLeft)
      return items.includes(true)
    } catch (error) {
      return error instanceof NotFound ? undefined : true
    }
  })
  const found = await Promise.all(lists)
  return found.find(is => is) ?? found[0]
}

function isLeft({ metadata }: KubeObject): boolean {
  return [TRAFFIC, MADE_FOR].some(key => metadata.annotations?.[key] !== undefined)
}

function typeOf({ apiVersion, plural, kind }: Router): ResourceType {
  return resource(apiVersion, plural, kind)
}

function refTo({ apiVersion, kind }: Router, { metadata }: Seen): RouteRef {
  return { apiVersion, kind, name: metadata.name }
}

function seekRoutes(options: RequestsOptions, router: Router): RouteKind {
  const { kind } = router
  const sought = seek(options, {
    type: typeOf(router),
    project: (object): WishedRoute => router.see(object),
    indexes: { workload: each => workloadsOf(each) },
    rights: rightsToRoutes(router, options.namespaces),
    name: `${kind}s`,
  })
  sought.cache.onChange((before, after) =>
    options.wake(nameOf(kind, (after ?? before)!), workloadsOf(before, after)),
  )
  return { router, ...sought }
}

function seekScripts(options: RequestsOptions): Sought<ConfigMap> {
  const here = { ...options, namespaces: [options.namespace] }
  return seek(here, {
    type: CONFIG_MAPS,
    project: object => object,
    rights: rightsToScripts(options.namespace),
    name: `ConfigMap ${OWN_SCRIPTS}`,
    only: OWN_SCRIPTS,
  })
}

type Needed = Pick<Sought<Seen>, 'need' | 'open' | 'unread'>

/** The newest version of each that is served, or may be. */
function servedIn(kinds: readonly RouteKind[]): readonly RouteKind[] {
  return inVersions(kinds).flatMap(versions => {
    for (const kind of versions) {
      kind.need()
      if (!kind.unserved()) return [kind]
    }
    return []
  })
}

function unreadOf(sought: readonly Needed[]): string | undefined {
  return sought.map(each => each.unread()).find(why => why !== undefined)
}

function neededFor({ kinds, scripts }: Caches, { routes }: Routing): readonly Needed[] {
  const named = new Set(routes.flatMap(ref => kindOf(kinds, ref) ?? []))
  const own = routes.some(ref => isScripted(kinds, ref) && !isOursAlone(ref))
  return [...named, ...(own ? [scripts] : [])]
}

function observed(
  { services, endpoints, kinds, scripts }: Caches,
  namespace: string,
  routing: Routing,
): Omit<Traffic, 'answers'> {
  const names = servicesOf(routing)
  const [stable, canary] = names.map(name => services.get(namespace, name))
  const [{ data = {} } = {}] = scripts.cache.list()
  return defined({
    routing,
    service: stable,
    canary,
    routes: routing.routes.map(ref => {
      const script = isScripted(kinds, ref) ? scriptFor(ref, data) : undefined
      return defined({ ...foundIn(kinds, namespace, ref), script })
    }),
    endpoints: names.flatMap(name => endpoints.byIndex('service', `${namespace}/${name}`)),
  })
}

function isScripted(kinds: readonly RouteKind[], ref: RouteRef): boolean {
  return kindOf(kinds, ref)?.router.scripted === true
}

function foundIn(kinds: readonly RouteKind[], namespace: string, ref: RouteRef): RouteFound {
  const kind = kindOf(kinds, ref)
  const made = kind?.router.makes?.(ref.name)
  return defined({
    ref,
    router: kind?.router,
    object: kind?.cache.get(namespace, ref.name),
    made: made === undefined ? undefined : kind?.cache.get(namespace, made),
    unserved: kind?.unserved() || undefined,
  })
}

/** In the newest version that the cluster serves. */
function kindOf(kinds: readonly RouteKind[], ref: RouteRef): RouteKind | undefined {
  const all = kinds.filter(({ router }) => isSameKind(ref, router))
  return all.find(each => !each.unserved()) ?? all[0]
}

function nameOf(kind: string, { metadata }: Seen): string {
  return `${metadata.namespace}/${kind}/${metadata.name}`
}
