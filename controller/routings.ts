// TrafficRoutings: by what a release that names one moves requests beside its own steps. The cluster may lack the
// kind; it is looked for where requests are moved at all.

import type { Rollout } from '#api/rollout.generated.ts'
import type { TrafficRouting } from '#api/trafficrouting.generated.ts'
import { defined } from '#core/defined.ts'
import { isSameKind, refOf } from '#core/ref.ts'
import { workloadKey } from '#core/rollout/key.ts'
import { firstOf, isAlive } from '#core/rollout/parse.ts'
import type { RoutingSnapshot } from '#core/traffic-routing/decide.ts'
import { keyOfRouting, routingsIn, routingsOn } from '#core/traffic-routing/keys.ts'
import { isRoutingRef, routingAsked } from '#core/traffic-routing/parse.ts'
import type { Routing } from '#core/traffic/model.ts'
import type { Traffic } from '#core/traffic/routed.ts'
import { isEscaped } from '#core/traffic/touched.ts'
import type { Cache } from '#kube/cache.ts'
import { TRAFFIC_ROUTINGS } from '#kube/resources.ts'
import { keyOfSeen, workloadOf } from './kinds.ts'
import type { Kind } from './kinds.ts'
import type { Version } from './own-writes.ts'
import { routedNames } from './requests.ts'
import type { Requests } from './requests.ts'
import { rightsToRoutings } from './rights.ts'
import { seek } from './sought.ts'
import type { Sought, SoughtOptions } from './sought.ts'

/** What is known of one, whoever needs it. */
export interface RoutingFound extends Pick<
  RoutingSnapshot,
  'ref' | 'object' | 'asked' | 'traffic' | 'moved' | 'strays' | 'unserved' | 'unread'
> {}

/** What is known of them. */
export interface Routings {
  /** That of a key. `open`: not known yet. */
  readonly find: (key: string) => RoutingFound | 'open'
  /** The key of the one that the release of a workload has begun with, or that its Rollout names. */
  readonly of: (workload: string) => string | undefined
  /** Keys of the workloads by whose releases the one of a key may be needed. */
  readonly users: (key: string) => readonly string[]
  /** Keys of all workloads that a decision about a workload or a TrafficRouting looks at. */
  readonly with: (key: string) => readonly string[]
  /** The versions of all that is looked at of the TrafficRouting that a key names, or its workload. */
  readonly versions: (key: string) => Iterable<Version>
  readonly keys: () => readonly string[]
  /** Keys of those that name an object, and of whoever waits for them; undefined: of all. */
  readonly through: (changed: string | undefined) => readonly string[]
  /** Runs until the signal aborts. */
  readonly run: (signal: AbortSignal) => Promise<void>
}

/** How they are watched. */
export interface RoutingsOptions extends Omit<SoughtOptions, 'wake'> {
  /** Requests are moved in this installation. */
  readonly routes: boolean
  /** With the indexes `workload` and `routing`. */
  readonly rollouts: Cache<Rollout>
  /** With the index `routing`. */
  readonly kinds: readonly Kind[]
  readonly requests: Pick<Requests, 'all' | 'observe' | 'left' | 'versions'>
  /** Called with the key of each of which something else is known, and of whoever waits for it. */
  readonly wake: (key: string) => void
}

/** Nothing is asked where requests are not moved. */
export function createRoutings(options: RoutingsOptions): Routings {
  const { routes, rollouts, kinds, requests, wake } = options
  const users = (key: string) => usersOf(options, key)
  const waking = (keys: readonly string[]) => keys.flatMap(key => [key, ...users(key)])
  const sought: Sought<TrafficRouting> = seek(
    { ...options, wake: () => waking(keys()).forEach(wake) },
    {
      type: TRAFFIC_ROUTINGS,
      project: object => object,
      rights: rightsToRoutings(options.namespaces),
      name: 'TrafficRoutings',
      indexes: { requests: each => routedNames(each.metadata.namespace, routingOf(each)) },
      named: () => namedKeys(options).length > 0,
    },
  )
  const { cache } = sought
  const keys = () => [...new Set([...cache.list().map(keyOfRouting), ...namedKeys(options)])]
  cache.onChange((before, after) => waking([keyOfRouting((after ?? before)!)]).forEach(wake))
  for (const { cache: workloads } of kinds) {
    // Its release is over, with its Rollout or without.
    workloads.onChange((before, after) => {
      if (!after?.record && before) routingsOn(before).forEach(wake)
    })
  }
  rollouts.onChange((before, after) => {
    const [was = [], is = []] = [before, after].map(each => each && routingsIn(each))
    if (is.some(key => !was.includes(key))) sought.lookAgain()
    for (const key of new Set([...was, ...is])) wake(key)
  })
  if (routes) sought.need()
  return {
    find: key => find(sought, options, key),
    of: key => named(options, key),
    users,
    with: key => (isRoutingRef(refOf(key)) ? users(key) : [key]),
    *versions(key) {
      const routing = isRoutingRef(refOf(key)) ? key : named(options, key)
      if (routing === undefined) return
      const { namespace, name } = refOf(routing)
      const object = cache.get(namespace, name)
      if (object) yield object.metadata
      for (const each of [object && routingOf(object), requests.left(routing)]) {
        if (each) yield* requests.versions(namespace, each)
      }
    },
    keys,
    through: changed =>
      waking(changed === undefined ? keys() : cache.byIndex('requests', changed).map(keyOfRouting)),
    run: sought.run,
  }
}

function usersOf({ rollouts, kinds }: RoutingsOptions, routing: string): readonly string[] {
  const named = rollouts.byIndex('routing', routing).map(workloadKey)
  const begun = kinds.flatMap(kind =>
    kind.cache.byIndex('routing', routing).map(seen => keyOfSeen(kind, seen)),
  )
  return [...new Set([...named, ...begun])]
}

/** Of all that Rollouts name, or that releases have begun with. */
function namedKeys({ rollouts, kinds }: RoutingsOptions): readonly string[] {
  return [
    ...rollouts.list().flatMap(routingsIn),
    ...kinds.flatMap(({ cache }) => cache.list().flatMap(routingsOn)),
  ]
}

/** That of the release that runs, wherever requests are moved; else what its Rollout names. */
function named({ routes, rollouts, kinds }: RoutingsOptions, key: string): string | undefined {
  const { seen } = { ...workloadOf(kinds, key) }
  if (seen?.record) return routingsOn(seen)[0]
  const first = routes && firstOf(rollouts.byIndex('workload', key).filter(isAlive), undefined)
  return first ? routingsIn(first)[0] : undefined
}

/** What stands on routes tells what is moved for one that is gone: all of them have to be known. */
function find(
  sought: Sought<TrafficRouting>,
  { routes, requests }: RoutingsOptions,
  key: string,
): RoutingFound | 'open' {
  const ref = refOf(key)
  const known = requests.all()
  if (known === 'open' || (routes && sought.open())) return 'open'
  const unread = known.unread ?? sought.unread()
  if (unread !== undefined) return { ref, unread }
  const found = findKnown(sought.cache, requests, key)
  return found === 'open' ? found : defined({ ...found, unserved: sought.unserved() || undefined })
}

function findKnown(
  cache: Cache<TrafficRouting>,
  { observe, left }: RoutingsOptions['requests'],
  key: string,
): RoutingFound | 'open' {
  const ref = refOf(key)
  const { namespace, name } = ref
  const object = cache.get(namespace, name)
  const asked = object && routingAsked(object)
  const named = object && routingOf(object)
  const on = left(key)
  const strays = on && named && without(on, named)
  const looks = [named, on, strays].map(each => each && observe(namespace, each))
  if (looks.includes('open')) return 'open'
  const [traffic, moved, stray] = looks as readonly (Traffic | undefined)[]
  const ours = moved && isOurs(moved) ? moved : undefined
  return defined({ ref, object, asked, traffic, moved: ours, strays: stray })
}

/** What its owner has taken over is as he wants it, and keeps nobody waiting. */
function isOurs({ routes }: Traffic): boolean {
  return routes.some(({ object }) => !isEscaped(object))
}

/** Those of its routes that are not named any more. */
function without(left: Routing, named: Routing): Routing | undefined {
  const same = left.service === named.service
  const isNamed = (ref: Routing['routes'][number]) =>
    named.routes.some(each => isSameKind(each, ref) && each.name === ref.name)
  const routes = same ? left.routes.filter(ref => !isNamed(ref)) : left.routes
  return routes.length > 0 ? { ...left, routes } : undefined
}

function routingOf(object: TrafficRouting): Routing | undefined {
  const asked = routingAsked(object)
  return 'routing' in asked ? asked.routing : undefined
}
