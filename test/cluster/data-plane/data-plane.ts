// A data plane for the pods of a cluster that have no process: in a network namespace of its own each pod whose
// image has `served` in it is a server at the address that kwok gave it, Ready once it listens; a gateway routes by
// what the API server has; and requests are sent to it all the time.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { until } from '../../../dev/until.ts'
import { serveOthers } from '../gateway.ts'
import { lead } from '../pod-network/lead.ts'
import { startInside } from '../pod-network/namespace.ts'
import { playNode } from '../pod-network/node.ts'
import { findProgram } from '../programs.ts'
import type { World } from '../world.ts'
import type { Answer, Asked, Begin, Request, Routed, RoutedRule, Told } from './channel.ts'
import { createClass, PORT } from './gateway-objects.ts'

/** Where requests meet real processes. */
export interface DataPlane {
  /** How the gateway, as it said last, routes requests to a host that match nothing special. */
  readonly routes: (host: string) => Routes
  /** Sends these requests in turn, instead of those before. */
  readonly send: (requests: readonly Request[]) => void
  /** Each time when the gateway said that it sends requests to a Service of which it knows no pod. */
  readonly nowhere: readonly Nowhere[]
  /** All answers so far. */
  readonly answers: readonly Answer[]
  /** Answers to so many requests of that name that are begun from now on. */
  readonly next: (name: string, count: number) => Promise<readonly Answer[]>
  readonly stop: () => Promise<void>
}

/** Where requests meet nobody. */
interface Nowhere {
  readonly at: number
  readonly rule: string
  readonly backend: string
}

/** How requests go. */
export interface Routes {
  /** Percent of them that goes to the Service of new pods. */
  readonly share: number
  /** The versions of the pods to which the others go. */
  readonly stable: readonly string[]
}

const PER_SECOND = 50
/** So much later than of a route the gateway learns of a Service, and of its endpoints. */
const LAG = '250ms'
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
  const answers: Answer[] = []
  const nowhere: Nowhere[] = []
  const serving = new Map<string, () => void>()
  const versions = new Map<string, string>()
  let routed: Routed = { rules: [] }
  const inside = startInside<Asked | Begin, Told>(join(import.meta.dirname, 'inside.ts'), told => {
    if ('answer' in told) answers.push(told.answer)
    else if ('routed' in told) {
      ;({ routed } = told)
      nowhere.push(...nowhereIn(routed))
    } else serving.get(told.served)?.()
  })
  const env = { KUBECONFIG: cluster.kubeconfig }
  inside.ask({
    api: { port: apiPort, socket },
    gateway: { program, args: [String(PORT), LAG], env },
    load: { port: PORT, perSecond: PER_SECOND },
  })
  const leave = await playNode(client, {
    begin: ({ address, image }) =>
      new Promise(resolve => {
        const port = 80
        serving.set(address, resolve)
        versions.set(`${address}:${port}`, image)
        inside.ask({ serve: { address, port, version: image } })
      }),
    end: ({ address }) => inside.ask({ gone: address }),
  })
  return {
    routes: host => routesIn(routed, host, versions),
    send: requests => inside.ask({ requests }),
    answers,
    nowhere,
    async next(name, count) {
      const from = Date.now()
      const found = () => answers.filter(each => each.name === name && each.begunAt >= from)
      const enough = until(
        `no ${count} answers came`,
        async () => found().length >= count,
        patienceMs,
      )
      await Promise.race([enough, inside.ended])
      return found().slice(0, count)
    },
    async stop() {
      leave()
      await inside.stop()
      leading.close()
      await rm(dir, { recursive: true })
    },
  }
}

function nowhereIn({ rules }: Routed): readonly Nowhere[] {
  const at = Date.now()
  return rules.flatMap(({ rule, backends }) => {
    const empty = backends.filter(({ weight, servers }) => weight > 0 && servers.length === 0)
    return empty.map(({ name: backend }) => ({ at, rule, backend }))
  })
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
