// A data plane for the pods of a cluster that have no process: in a network namespace of its own each pod whose
// image has `served` in it is a server at the address that kwok gave it, Ready once it listens; a gateway routes by
// what the API server has; and requests are sent to it all the time.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import type { Pod } from '#api/kubernetes.ts'
import { Cache } from '#kube/cache.ts'
import type { Cached } from '#kube/cache.ts'
import { Reflector } from '#kube/reflector.ts'
import { PODS } from '#kube/resources.ts'
import type { ResourceType } from '#kube/resources.ts'
import { until } from '../../../dev/until.ts'
import { serveOthers } from '../gateway.ts'
import { findProgram } from '../programs.ts'
import { makeReady } from '../ready-by-hand.ts'
import type { World } from '../world.ts'
import type { Answer, Asked, Begin, Request, Routed, RoutedRule, Served, Told } from './channel.ts'
import { createClass, PORT } from './gateway-objects.ts'
import { lead } from './lead.ts'
import { spawnInside } from './namespace.ts'

/** Where requests meet real processes. */
export interface DataPlane {
  /** How the gateway, as it said last, routes requests to a host that match nothing special. */
  readonly routes: (host: string) => Routes
  /** Sends these requests in turn, instead of those before. */
  readonly send: (requests: readonly Request[]) => void
  /** All answers so far. */
  readonly answers: readonly Answer[]
  /** Answers to so many requests of that name that are begun from now on. */
  readonly next: (name: string, count: number) => Promise<readonly Answer[]>
  readonly stop: () => Promise<void>
}

/** How requests go. */
export interface Routes {
  /** Percent of them that goes to the Service of new pods. */
  readonly share: number
  /** The versions of the pods to which the others go. */
  readonly stable: readonly string[]
}

const PER_SECOND = 50
/** A busy machine answers late. */
const patienceMs = 180_000

/** Starts all of it; the cluster serves HTTPRoutes. */
export async function startDataPlane(world: World): Promise<DataPlane> {
  const { cluster, client } = world
  const program = await findProgram('gateway')
  await serveOthers(client)
  await createClass(client)
  const dir = await mkdtemp(join(tmpdir(), 'sluice-data-plane-'))
  const socket = join(dir, 'api-server')
  const apiPort = Number(new URL(cluster.url).port)
  const leading = await lead({ path: socket }, { port: apiPort, host: '127.0.0.1' })
  const said: string[] = []
  const child = spawnInside(join(import.meta.dirname, 'inside.ts'), line => said.push(line))
  const ended = new Promise<never>((_, reject) => {
    child.once('error', reject)
    child.once('exit', () => reject(new Error(`the data plane has ended: ${said.join('')}`)))
  })
  // Who waits for something hears of it.
  ended.catch(() => {})
  const answers: Answer[] = []
  const serving = new Map<string, () => void>()
  const versions = new Map<string, string>()
  let routed: Routed = { rules: [] }
  child.on('message', (told: Told) => {
    if ('answer' in told) answers.push(told.answer)
    else if ('routed' in told) ({ routed } = told)
    else serving.get(told.served)?.()
  })
  const ask = (asked: Asked | Begin) => void child.send(asked)
  const env = { KUBECONFIG: cluster.kubeconfig }
  ask({
    api: { port: apiPort, socket },
    gateway: { program, args: [String(PORT)], env },
    load: { port: PORT, perSecond: PER_SECOND },
  })
  const unwatch = await playKubelet(world, {
    begin: served =>
      new Promise(resolve => {
        serving.set(served.address, resolve)
        versions.set(`${served.address}:${served.port}`, served.version)
        ask({ serve: served })
      }),
    end: address => ask({ gone: address }),
  })
  return {
    routes: host => routesIn(routed, host, versions),
    send: requests => ask({ requests }),
    answers,
    async next(name, count) {
      const from = Date.now()
      const found = () => answers.filter(each => each.name === name && each.begunAt >= from)
      const enough = until(
        `no ${count} answers came`,
        async () => found().length >= count,
        patienceMs,
      )
      await Promise.race([enough, ended])
      return found().slice(0, count)
    },
    async stop() {
      unwatch()
      if (child.connected) child.disconnect()
      await ended.catch(() => {})
      leading.close()
      await rm(dir, { recursive: true })
    },
  }
}

function routesIn({ rules }: Routed, host: string, versions: ReadonlyMap<string, string>): Routes {
  const found = rules.find(({ rule }) => rule === `Host("${host}") && PathPrefix("/")`)
  const { backends = [] } = { ...found }
  const fresh = backends.filter(({ name }) => name.includes('-canary-'))
  const others = backends.filter(each => !fresh.includes(each))
  const weightOf = (some: RoutedRule['backends']) =>
    some.reduce((sum, { weight }) => sum + weight, 0)
  const servers = others.flatMap(each => each.servers)
  const known = new Set(servers.map(server => versions.get(server) ?? 'unknown'))
  const share = (100 * weightOf(fresh)) / weightOf(backends)
  return { share, stable: [...known].toSorted() }
}

/** What a node knows of a pod. */
interface RunningPod extends Pod {
  readonly spec: { readonly containers: readonly { readonly image: string }[] }
  readonly status?: Pod['status'] & { readonly podIP?: string }
}

/** A pod, as its node sees it. */
interface NodePod extends Cached {
  readonly image: string
  readonly address: string | undefined
}

/** Begins and ends the process of a pod. */
interface Processes {
  readonly begin: (pod: Served) => Promise<void>
  readonly end: (address: string) => void
}

/** Gives what ends it. */
async function playKubelet({ client }: World, processes: Processes): Promise<() => void> {
  const cache = new Cache<NodePod>()
  cache.onChange((before, pod) => {
    const { address, image = '' } = { ...(pod ?? before) }
    if (address === undefined || !image.includes('served')) return
    if (!pod) processes.end(address)
    if (!pod || before?.address !== undefined) return
    const { namespace = '', name } = pod.metadata
    void processes
      .begin({ address, port: 80, version: image })
      .then(() => makeReady(client, { namespace, name }))
  })
  const ending = new AbortController()
  void new Reflector({
    client,
    type: PODS as ResourceType<RunningPod>,
    cache,
    project: seeOnNode,
  }).run(ending.signal)
  await cache.synced
  return () => ending.abort()
}

function seeOnNode({ metadata, spec, status }: RunningPod): NodePod {
  return { metadata, image: spec.containers[0]?.image ?? '', address: status?.podIP }
}
