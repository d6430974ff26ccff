// A small world in which requests are moved: what the API server stores through admission, endpoints and a
// gateway that are each a moment behind, pods, and a controller that reaches one aim after the other. Where
// one Service has the pods of both versions a mesh tells them apart, whose proxies follow within a grace period; for
// a release, or for a TrafficRouting that it names.

import type { HTTPRoute, KubeObject, Service } from '#api/kubernetes.ts'
import { OLDER_API_VERSION, SERVICE_NAME } from '#api/names.ts'
import type { TrafficRouting } from '#api/trafficrouting.generated.ts'
import { reviewTraffic } from '#core/admission/traffic-review.ts'
import type { Change } from '#core/change.ts'
import { equalJson } from '#core/equal.ts'
import { defined } from '#core/defined.ts'
import type { Move } from '#core/move.ts'
import { scriptKey } from '#core/script.ts'
import type { ScriptAnswer } from '#core/script.ts'
import { decideRouting, namedRouting } from '#core/traffic-routing/decide.ts'
import type { RoutingSnapshot } from '#core/traffic-routing/decide.ts'
import { keyOfRouting } from '#core/traffic-routing/keys.ts'
import { routingAsked, routingRef } from '#core/traffic-routing/parse.ts'
import { routingStatus } from '#core/traffic-routing/status.ts'
import { isAnswered } from '#core/traffic-routing/users.ts'
import type { RoutingUser } from '#core/traffic-routing/users.ts'
import { workloadsOf } from '#core/traffic/left.ts'
import { trafficMove } from '#core/traffic/moves.ts'
import type { Routed, TrafficAim } from '#core/traffic/routed.ts'
import { routerOf, trafficProviders } from '#core/traffic/registry.ts'
import { seeEndpoints, seeRoute, seeService } from '#core/traffic/seen.ts'
import { createHomes } from '../../controller/homes.ts'
import { merge } from './controller.ts'

/** What a controller brings about, one after the other. */
export type Stage =
  | { readonly aim: TrafficAim }
  /** So many pods of the new version, and the others of the old one. */
  | { readonly fresh: number }

interface Pod {
  readonly uid: string
  readonly version: 'old' | 'new'
  readonly ready: boolean
}

export const SIZE = 4
const atRest: Stage = { aim: { to: 'all' } }
const LABEL = 'pod-template-hash'
const ref = { apiVersion: 'gateway.networking.k8s.io/v1', kind: 'HTTPRoute', name: 'web' }
const meshRef = { apiVersion: 'networking.istio.io/v1', kind: 'VirtualService', name: 'web' }
const script = { name: 'the script', text: 'return', remedy: 'mend it' }
const GRACE = 2
const own = { name: 'web', port: 80, weight: 1 }
const ownRules = [{ backendRefs: [own] }, { backendRefs: [{ name: 'images' }] }]
const metadataOf = (name: string) => ({
  namespace: 'shop',
  name,
  uid: name,
  resourceVersion: '1',
  generation: 1,
})
export const ownService: Service = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: metadataOf('web'),
  spec: { selector: { app: 'web' }, ports: [{ port: 80 }] },
} as Service
const ownRoute: HTTPRoute = {
  ...ref,
  metadata: metadataOf('web'),
  spec: { parentRefs: [{ name: 'gate' }], rules: ownRules },
}

const ownMesh = { ...meshRef, metadata: metadataOf('web'), spec: { http: ownRules } } as KubeObject

/** Its weight is what the step says that runs. */
const ownRouting: TrafficRouting = {
  apiVersion: OLDER_API_VERSION,
  kind: 'TrafficRouting',
  metadata: metadataOf('lane'),
  spec: {
    objectRef: [{ service: 'web', customNetworkRefs: [meshRef], gracePeriodSeconds: GRACE }],
    strategy: { weight: 0 },
  },
}

/** By what requests are moved. */
export type Way = 'two Services' | 'one Service' | 'a TrafficRouting'

interface Rule {
  readonly backendRefs?: readonly { readonly name: string; readonly weight?: number }[]
}

/** One of them. */
export class RoutedWorld {
  readonly plan: Stage[] = []
  now = 0
  pods: readonly Pod[] = podsOf(SIZE, 'old', true)
  readonly way: Way
  readonly oneService: boolean
  /** Another release names the same TrafficRouting, and has new pods that are ready, or has not. */
  neighbour: 'none' | 'waits' | 'answers' = 'none'
  /** The aim that was reached last was reached beside one that answers. */
  shared = false
  /** As its owner wrote it. */
  readonly ownRoute: KubeObject
  /** By `kind/name`. */
  readonly #stored: Map<string, KubeObject>
  /** What scripts have said. */
  readonly #answers = new Map<string, ScriptAnswer>()
  /** Share of new pods in the mesh, from when on. */
  readonly #shares: { readonly at: number; readonly share: number }[] = [{ at: 0, share: 0 }]
  /** By Service; as they were told last. */
  #endpoints: Readonly<Record<string, readonly string[]>> = {}
  /** What the gateway goes by. */
  #served: readonly Rule[] = ownRules
  /** Undefined: it is gone. */
  #routing: TrafficRouting | undefined = ownRouting
  #weight = 0
  readonly #homes = createHomes()
  #uids = 0

  constructor(way: Way = 'two Services') {
    this.way = way
    this.oneService = way !== 'two Services'
    this.ownRoute = this.oneService ? ownMesh : ownRoute
    this.#stored = new Map([ownService, this.ownRoute].map(each => [keyOf(each), each]))
    this.tellEndpoints()
  }

  /** The TrafficRouting is deleted, or made again. */
  makeRouting(made: boolean): void {
    this.#routing = made ? (this.#routing ?? ownRouting) : undefined
  }

  get service(): Service | undefined {
    return this.#stored.get('Service/web') as Service | undefined
  }

  get canary(): Service | undefined {
    return this.#stored.get('Service/web-canary') as Service | undefined
  }

  get route(): HTTPRoute {
    return this.#stored.get(keyOf(this.ownRoute)) as HTTPRoute
  }

  /** Share of the requests that go to new pods, where each weight counts. */
  get share(): number {
    if (this.oneService) {
      const since = this.now - GRACE * 1000
      const old = this.#shares.findLastIndex(({ at }) => at <= since)
      return Math.max(...this.#shares.slice(Math.max(old, 0)).map(({ share }) => share))
    }
    const refs = this.#served.flatMap(({ backendRefs = [] }) => backendRefs)
    return refs.find(({ name }) => name === 'web-canary')?.weight ?? 0
  }

  /** Pods that a Service sends requests to. */
  endpoints(service: string): readonly string[] {
    return this.#endpoints[service] ?? []
  }

  uidsOf(version: Pod['version']): readonly string[] {
    return this.pods.flatMap(pod => (pod.version === version ? [pod.uid] : []))
  }

  /** The controller looks; gives what it has changed of the way of requests. */
  look(): Change | undefined {
    this.now += 1000
    // A TrafficRouting is looked at by itself, too.
    const idle = this.way === 'a TrafficRouting' ? atRest : undefined
    const [stage = idle] = this.plan
    if (!stage) return undefined
    if (!('fresh' in stage)) return this.#reach(stage.aim)
    if (this.#isFresh(stage.fresh)) this.plan.shift()
    else if (this.uidsOf('new').length !== stage.fresh) this.#replace(stage.fresh)
    return undefined
  }

  #reach(aim: TrafficAim): Change | undefined {
    const { move, done } = this.way === 'a TrafficRouting' ? this.#named(aim) : this.#moved(aim)
    if (done) {
      this.plan.shift()
      this.shared = this.neighbour === 'answers'
    }
    const { run, changes: [change] = [] } = { ...move }
    if (run) this.#answers.set(scriptKey(run), { returned: answerOf(run.input), at: this.now })
    if (change) this.#write(change)
    return change
  }

  /** The endpoints are what the Services select now. */
  tellEndpoints(): void {
    const names = [...this.#stored.values()].flatMap(({ kind, metadata }) =>
      kind === 'Service' ? [metadata.name] : [],
    )
    this.#endpoints = Object.fromEntries(names.map(name => [name, this.#selected(name)]))
  }

  /** The gateway takes the route over as it is, and says so; a mesh says nothing. */
  tellGateway(): void {
    if (this.oneService) return
    const { metadata, spec } = this.route
    this.#served = (spec?.rules ?? []) as readonly Rule[]
    const common = { observedGeneration: metadata.generation ?? 0, reason: 'Yes', message: '' }
    const conditions = ['Accepted', 'ResolvedRefs'].map(type => ({
      ...common,
      type,
      status: 'True',
    }))
    const parents = [{ parentRef: { name: 'gate' }, conditions }]
    this.#stored.set('HTTPRoute/web', { ...this.route, status: { parents } } as KubeObject)
  }

  allReady(): void {
    this.pods = this.pods.map(pod => ({ ...pod, ready: true }))
  }

  /** His chart is applied again. */
  ownerApplies(): void {
    for (const owner of [ownService, this.ownRoute]) {
      const before = this.#stored.get(keyOf(owner))!
      const { spec } = owner as KubeObject & { readonly spec: object }
      this.#store({ ...before, spec } as KubeObject, before, false)
    }
  }

  #isFresh(count: number): boolean {
    return this.uidsOf('new').length === count && this.pods.every(({ ready }) => ready)
  }

  #replace(fresh: number): void {
    this.#uids += 1
    const keep = (version: Pod['version'], count: number) => {
      const there = this.pods.filter(pod => pod.version === version).slice(0, count)
      return [...there, ...podsOf(count - there.length, version, false, this.#uids)]
    }
    this.pods = [...keep('old', SIZE - fresh), ...keep('new', fresh)]
  }

  #selected(service: string): readonly string[] {
    const { spec } = this.#stored.get(`Service/${service}`) as Service
    const version = spec?.selector?.[LABEL]
    const chosen = this.pods.filter(pod => version === undefined || pod.version === version)
    return chosen.flatMap(({ uid, ready }) => (ready ? [uid] : []))
  }

  #routed(): Routed {
    const { service, canary, route } = this
    const slices = Object.entries(this.#endpoints).map(([name, uids]) => ({
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name, labels: { [SERVICE_NAME]: name } },
      endpoints: uids.map(uid => ({
        conditions: { ready: true },
        targetRef: { kind: 'Pod', uid },
      })),
    }))
    return {
      traffic: {
        ...this.#way(route),
        ...(service && { service: seeService(service) }),
        ...(canary && { canary: seeService(canary) }),
        endpoints: slices.map(seeEndpoints),
        answers: this.#answers,
      },
      pods: {
        ref: { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'web' },
        uid: 'w',
        revisionLabel: LABEL,
        stable: this.uidsOf('old').length > 0 ? 'old' : '',
        updated: 'new',
        updatePods: this.pods.flatMap(({ uid, version, ready }) =>
          version === 'new' ? [{ uid, ...(ready && { readySince: 0 }) }] : [],
        ),
        podLabels: {},
      },
    }
  }

  #moved(aim: TrafficAim): Step {
    const move = trafficMove(this.#routed(), aim, this.now)
    return { ...defined({ move }), done: !move }
  }

  /** A release that sends a share needs it; the others wait until it is home. */
  #named(aim: TrafficAim): Step {
    const { traffic, pods } = this.#routed()
    const { now } = this
    const needed = aim.to === 'split'
    if (needed) this.#weight = aim.split.percent ?? 0
    const strategy = { weight: this.#weight }
    const object = this.#routing && { ...this.#routing, spec: { ...ownRouting.spec, strategy } }
    const podUids = this.pods.map(({ uid }) => uid)
    const answers = isAnswered({ ...pods!, podUids }, traffic)
    const key = keyOfRouting(ownRouting)
    const isMoved = traffic.routes.some(each => workloadsOf(each.object).includes(key))
    const snapshot = defined({
      now,
      ref: routingRef('shop', 'lane'),
      object,
      asked: object && routingAsked(object),
      users: [
        ...(needed ? [{ rollout: 'web', answers }] : []),
        ...(this.neighbour === 'none' ? [] : [this.#neighbour()]),
      ],
      traffic,
      home: this.#homes.look(key, isMoved, now),
      moved: isMoved ? traffic : undefined,
    })
    const { routed, home } = namedRouting(snapshot, 'web')
    return { ...defined({ move: this.#told(snapshot) }), done: needed ? routed : home }
  }

  /** What is decided about the TrafficRouting is told by it. */
  #told(snapshot: RoutingSnapshot): Move | undefined {
    const { object, now } = snapshot
    const decision = decideRouting(snapshot)
    if (object) {
      const status = routingStatus(object, decision, now) ?? object.status
      this.#routing = defined({ ...object, status })
    }
    return decision.move
  }

  #neighbour(): RoutingUser {
    return { rollout: 'api', answers: this.neighbour === 'answers' }
  }

  #way(route: HTTPRoute): Pick<Routed['traffic'], 'routing' | 'routes'> {
    const common = { service: 'web', graceSeconds: GRACE }
    if (!this.oneService) {
      return {
        routing: { ...common, routes: [ref] },
        routes: [{ ref, object: seeRoute(route) }],
      }
    }
    const object = routerOf(meshRef)!.see(route)
    return {
      routing: { ...common, routes: [meshRef], oneService: true },
      routes: [{ ref: meshRef, object, script }],
    }
  }

  #write(change: Change): void {
    if (change.type === 'create') {
      this.#stored.set(keyOf(change.object), {
        ...change.object,
        metadata: { ...change.object.metadata, uid: 'canary', resourceVersion: '1' },
      })
      return
    }
    const key = `${change.target.kind}/${change.target.name}`
    const before = this.#stored.get(key)!
    if (change.type === 'delete') this.#stored.delete(key)
    else this.#store(merge(before, change.patch) as KubeObject, before, true)
  }

  #store(object: KubeObject, before: KubeObject, fromController: boolean): void {
    const provider = trafficProviders.find(({ kind }) => kind === object.kind)!
    const stored = reviewTraffic({ provider, object, before, fromController })
    const same = equalJson(provider.valueIn(stored), provider.valueIn(before))
    const generation = (before.metadata.generation ?? 0) + Number(!same)
    this.#stored.set(keyOf(object), { ...stored, metadata: { ...stored.metadata, generation } })
    if (object.kind !== meshRef.kind) return
    const { spec } = stored as KubeObject & { readonly spec: { readonly share?: number } }
    this.#shares.push({ at: this.now, share: spec.share ?? 0 })
  }
}

interface Step {
  readonly move?: Move
  readonly done: boolean
}

/** What the script of the mesh says. */
function answerOf(input: unknown): unknown {
  const { data, canaryWeight } = input as { readonly data: MeshData; readonly canaryWeight: number }
  return { ...data, spec: { ...data.spec, share: canaryWeight } }
}

interface MeshData {
  readonly spec: object
}

function podsOf(count: number, version: Pod['version'], ready: boolean, batch = 0): readonly Pod[] {
  return Array.from({ length: Math.max(count, 0) }, (_, i) => ({
    uid: `${version}-${batch}-${i}`,
    version,
    ready,
  }))
}

function keyOf({ kind, metadata }: KubeObject): string {
  return `${kind}/${metadata.name}`
}
