// By what requests come to a workload that is given back. They are given back by the rules of a living
// controller; where that asks admission for a field, this puts the owner's value there itself.

import type { KubeObject } from '#api/kubernetes.ts'
import { ESCAPE, RECORD, SERVICE_NAME, TRAFFIC } from '#api/names.ts'
import type { Patch } from '#core/change.ts'
import { defined } from '#core/defined.ts'
import type { Move } from '#core/move.ts'
import { isSameVersion } from '#core/ref.ts'
import { routesMove } from '#core/traffic-routing/moves.ts'
import { newServiceOf, servicesOf } from '#core/traffic/canary-service.ts'
import { routingLeft, workloadsOf } from '#core/traffic/left.ts'
import type { WishedRoute } from '#core/traffic/left.ts'
import { isMadeFor } from '#core/traffic/made.ts'
import type { Owner } from '#core/traffic/made.ts'
import type { RouteRef, Routing, TrafficProvider } from '#core/traffic/model.ts'
import { trafficMove } from '#core/traffic/moves.ts'
import type { RoutedPods, Traffic, TrafficAim } from '#core/traffic/routed.ts'
import { addedRouters, providersWith, routerKinds, routersOf } from '#core/traffic/registry.ts'
import type { RouteFound, Router } from '#core/traffic/router.ts'
import { seeEndpoints, seeService } from '#core/traffic/seen.ts'
import { readyOf } from '#core/traffic/service-moves.ts'
import { freedOwner, freeing, OVER, wishedOn } from '#core/traffic/wish.ts'
import type { KubeClient } from '#kube/client.ts'
import { findKind } from '#kube/discovery.ts'
import { Forbidden, NotFound } from '#kube/errors.ts'
import { ENDPOINT_SLICES, SERVICES, resource } from '#kube/resources.ts'
import type { ResourceType } from '#kube/resources.ts'
import { grouped } from './grouped.ts'
import { fieldOwners, withoutUs } from './field-owners.ts'
import type { Step } from './next-step.ts'

/** By what the requests of one workload come, as it was read. */
export interface Requests {
  readonly traffic: Traffic
  /** The Service and the routes. */
  readonly touched: readonly KubeObject[]
  /** All that a change would be seen on. */
  readonly objects: readonly KubeObject[]
}

/** Reads it. What is not there, or not served, is not in the way. */
export async function readRequests(
  client: KubeClient,
  namespace: string,
  routing: Routing,
): Promise<Requests> {
  const { routes: refs } = routing
  const names = servicesOf(routing)
  const [service, canary] = await Promise.all(
    names.map(each => client.get(SERVICES, { namespace, name: each }).catch(unlessGone)),
  )
  const routes = await Promise.all(refs.map(ref => readRoute(client, namespace, ref)))
  const found = routes.flatMap(({ object }) => object ?? [])
  const made = routes.flatMap(each => each.made ?? [])
  const labelSelector = `${SERVICE_NAME} in (${names.join(',')})`
  const { items: slices } = await client.listAll(ENDPOINT_SLICES, { namespace, labelSelector })
  const there = [service, canary].filter(each => each !== undefined)
  return {
    traffic: defined({
      routing,
      service: service && seeService(service),
      canary: canary && seeService(canary),
      routes: routes.map(seen),
      answers: new Map(),
      endpoints: slices.map(seeEndpoints),
    }),
    touched: [...(service ? [service] : []), ...found],
    objects: [...there, ...found, ...made, ...slices],
  }
}

async function readRoute(client: KubeClient, namespace: string, ref: RouteRef): Promise<RouteRead> {
  for (const router of await routersFor(client, ref)) {
    const read = async (name: string | undefined) =>
      name === undefined
        ? undefined
        : client.get(routeType(router), { namespace, name }).catch(unlessGone)
    const [object, made] = [await read(ref.name), await read(router.makes?.(ref.name))]
    if (object ?? made) return { ref, router, object, made }
  }
  return { ref }
}

/** What somebody has added to the installation is found where it is served. */
export async function routersFor(
  client: KubeClient,
  ref: Pick<RouteRef, 'apiVersion' | 'kind'>,
): Promise<readonly Router[]> {
  const known = routersOf(ref)
  if (known.length > 0) return known
  const served = await findKind(client, ref)
  if (served === 'nowhere' || served === 'secret') return []
  return addedRouters([{ ...ref, plural: served.name }])
}

interface RouteRead {
  readonly ref: RouteRef
  /** That of the version in which it is there. */
  readonly router?: Router
  readonly object?: KubeObject | undefined
  readonly made?: KubeObject | undefined
}

function seen({ ref, router, object, made }: RouteRead): RouteFound {
  const [own, ours] = [object, made].map(each => each && router?.see(each))
  return defined({ ref, router, object: own, made: ours })
}

/** Where the API server serves routes of the kind. */
export function routeType({ apiVersion, plural, kind }: Router): ResourceType {
  return resource(apiVersion, plural, kind)
}

function unlessGone(error: unknown): undefined {
  if (error instanceof NotFound) return undefined
  throw error
}

/** What is left on the way of requests. */
export interface Left {
  /** By the key of the workload. */
  readonly routings: ReadonlyMap<string, Routing>
  /** Why some of it is not known, one line for each kind that may not be read. */
  readonly unread: readonly string[]
}

/** Reads it. What is not served is not there. */
export async function readLeft(client: KubeClient, namespace: string | undefined): Promise<Left> {
  const unread: string[] = []
  const ofKinds = routerKinds.map(async versions => {
    for (const router of versions) {
      const { apiVersion, kind } = router
      const type = routeType(router)
      const see = (object: KubeObject): WishedRoute => router.see(object)
      const wished = await listWished(client, type, { namespace, see, unread })
      if (wished)
        return wished.map(each => [{ apiVersion, kind, name: each.metadata.name }, each] as const)
    }
    return []
  })
  const services =
    (await listWished(client, SERVICES, { namespace, see: seeService, unread })) ?? []
  const routes = (await Promise.all(ofKinds)).flat()
  const byService = grouped(services, each => workloadsOf(each)[0])
  const byRoute = grouped(routes, ([, each]) => workloadsOf(each)[0])
  const keys = new Set([...byService.keys(), ...byRoute.keys()])
  const found = [...keys].flatMap(key => {
    const routing = routingLeft(byService.get(key) ?? [], byRoute.get(key) ?? [])
    return key === undefined || !routing ? [] : [[key, routing] as const]
  })
  return { routings: new Map(found), unread }
}

/** What is to be seen of the objects, and where it is noted that they may not be read. */
interface Listing<T, S> {
  readonly namespace: string | undefined
  readonly see: (object: T) => S
  readonly unread: string[]
}

/** Undefined: there is no such kind. */
async function listWished<T extends KubeObject, S extends WishedRoute>(
  client: KubeClient,
  type: ResourceType<T>,
  { namespace, see, unread }: Listing<T, S>,
): Promise<readonly S[] | undefined> {
  try {
    const { items } = await client.listProjected(type, defined({ namespace }), see)
    return items.filter(each => workloadsOf(each).length > 0)
  } catch (error) {
    if (error instanceof NotFound) return undefined
    if (!(error instanceof Forbidden)) throw error
    // Who may not read a kind is told so of one that is not there, too.
    if ((await findKind(client, type)) === 'nowhere') return undefined
    unread.push(`whether a ${type.kind} is still pinned or split is not known: ${error.message}`)
    return []
  }
}

/** Whose requests they are, and where they are to go. */
export interface Return {
  /** Undefined: the workload is gone. */
  readonly pods?: Omit<RoutedPods, 'updatePods'>
  readonly to: Extract<TrafficAim['to'], 'stable' | 'all'>
  readonly now: number
}

/** The next thing to do so that they go there; undefined: they do. */
export function returning(requests: Requests, { pods, to, now }: Return): Step | undefined {
  const { traffic, objects } = requests
  const routed = { traffic, ...(pods && { pods: { ...pods, updatePods: newPodsIn(traffic) } }) }
  return stepOf(trafficMove(routed, { to }, now), objects)
}

/** Without the Service, which a TrafficRouting leaves to somebody else. */
export function routesAlone({ touched, ...requests }: Requests): Requests {
  return { ...requests, touched: touched.filter(({ kind }) => kind !== SERVICES.kind) }
}

/** The next thing to do so that the routes of a TrafficRouting are as their owners wrote them. */
export function homeward({ traffic, objects }: Requests, now: number): Step | undefined {
  return stepOf(routesMove(traffic, undefined, { to: 'home' }, now), objects)
}

/** A wait for those who still go by what the routes said; `away`: when that was last so. */
export function underWay(
  { traffic, objects }: Requests,
  { away, now }: { readonly away: number; readonly now: number },
): Step | undefined {
  const until = away + traffic.routing.graceSeconds * 1000
  return now < until ? { type: 'await', objects, why: 'requests are under way', until } : undefined
}

function stepOf(move: Move | undefined, objects: readonly KubeObject[]): Step | undefined {
  if (!move) return undefined
  const { changes, why, requeueAt } = move
  const [change] = changes
  if (change === undefined || change.type === 'create') {
    return { type: 'await', objects, why, ...defined({ until: requeueAt }) }
  }
  const { kind, name } = change.target
  const object = objects.find(each => each.kind === kind && each.metadata.name === name)!
  return change.type === 'delete'
    ? { type: 'delete', object }
    : { type: 'write', object, patch: withoutAdmission(object, change) }
}

/** Those that are ready behind the Service that is theirs alone. */
function newPodsIn(traffic: Traffic): RoutedPods['updatePods'] {
  const { routing } = traffic
  const uids = routing.oneService ? [] : [...readyOf(traffic, newServiceOf(routing))]
  return uids.map(uid => ({ uid, readySince: 0 }))
}

/** Whether the webhook answers is not known: under the escape it is not asked. */
function withoutAdmission(object: KubeObject, { patch }: Patch): Patch['patch'] {
  const { annotations } = { ...(patch['metadata'] as KubeObject['metadata'] | undefined) }
  const asked = annotations?.[TRAFFIC]
  if (asked === undefined) return patch
  const provider = providerOf(object)
  const was = wishedOn(provider, object)
  if (!was) {
    const notes = Object.keys({ ...provider.notes?.(undefined) }).map(key => [key, null])
    const annotations = { ...Object.fromEntries(notes), [TRAFFIC]: null, [RECORD]: null }
    return { metadata: { annotations } }
  }
  // What it is to remember stands in the escape.
  const wish = asked === OVER ? was.wish : asked
  return freeing(provider, { wish, owner: freedOwner(provider, object) })
}

function providerOf({ apiVersion, kind }: KubeObject): TrafficProvider {
  const ref = { apiVersion, kind, plural: '' }
  return providersWith([ref]).find(each => isSameVersion(each, ref))!
}

/** The escape goes last; whoever owned a field before the first write owns it again. */
export function escapeOff({ touched }: Requests, before: readonly KubeObject[]): Step | undefined {
  const object = touched.find(({ metadata }) => metadata.annotations?.[ESCAPE] !== undefined)
  if (!object) return undefined
  const first = before.find(({ metadata }) => metadata.uid === object.metadata.uid) ?? object
  const managedFields = withoutUs(fieldOwners(object), fieldOwners(first))
  return {
    type: 'write',
    object,
    patch: { metadata: { annotations: { [ESCAPE]: null }, managedFields } },
  }
}

/** Everything of ours on them, in words. */
export function tracesOf({ touched, traffic }: Requests, owner?: Owner): readonly string[] {
  const marks = touched.flatMap(({ kind, metadata }) =>
    [TRAFFIC, RECORD, ESCAPE]
      .filter(key => metadata.annotations?.[key] !== undefined)
      .map(key => `annotation ${key} on ${kind} ${metadata.name}`),
  )
  const { canary, routing } = traffic
  const ours = canary !== undefined && isMadeFor(owner, routing.service, canary)
  return [...marks, ...(ours ? [`Service ${canary.metadata.name}`] : [])]
}
