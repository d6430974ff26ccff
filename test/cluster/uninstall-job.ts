// What `helm uninstall` waits for: the Job that gives everything back, played as a kubelet does it, and what
// is left afterwards.

import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'

import { onTestFinished } from 'vitest'

import { createAuthority, issue } from '#certs/authority.ts'
import type { Right as Needed } from '#process/rights.ts'
import { readConfig, uninstallRights } from '../../cli/uninstall-config.ts'
import { until } from '../../dev/until.ts'
import { at, namespace } from './chart-place.ts'
import type { ChartPlace } from './chart-place.ts'
import { kubectl } from './commands.ts'
import { endPod, flagsOf } from './kubelet.ts'
import type { StoredPod } from './kubelet.ts'
import { requestsOf, rightsOf } from './rights.ts'
import type { Request, Right } from './rights.ts'

/** The ServiceAccount of the Job. */
export const uninstaller = { namespace, name: 'sluice-uninstall' }

/** For an image with this tag kwok does not say how a Job ended. */
export const PLAYED = 'image.tag=by-hand'

/** What the Job did. */
export interface Played {
  readonly code: number
  readonly said: readonly string[]
  /** What it was allowed while it ran, what it asks for at its start, and what it has done. */
  readonly rights: readonly Right[]
  readonly needed: readonly Needed[]
  readonly requests: readonly Request[]
}

const kinds = [
  'clusterrole,clusterrolebinding,role,rolebinding,serviceaccount,job,pod,deployment,service',
  'mutatingwebhookconfiguration,validatingwebhookconfiguration',
  'mutatingadmissionpolicy,validatingadmissionpolicy',
].join()

/** What of the chart is there, without what is kept. */
async function leftOfChart({ cluster }: ChartPlace): Promise<string> {
  const ours = ['-l', 'app.kubernetes.io/name=sluice']
  const { stdout } = await kubectl(cluster, ['get', kinds, '-A', ...ours, '-o', 'name'])
  return stdout
}

/** Waits until all of the chart is gone, and takes away what is kept. */
export async function nothingLeft(place: ChartPlace): Promise<void> {
  await until('something of the chart is left', async () => (await leftOfChart(place)) === '')
  await kubectl(place.cluster, ['delete', 'secret', 'sluice-webhook-certificate', ...at])
  await kubectl(place.cluster, ['delete', 'lease', 'sluice-controller', ...at])
}

/** Plays the kubelet for the Job that Helm waits for. */
export async function playJob(place: ChartPlace): Promise<Played> {
  const { cluster, client, log } = place
  let pod: StoredPod | undefined
  const runs = async () => {
    const pods = await place.podsOf('uninstall')
    pod = pods.find(({ status }) => status?.phase === 'Running')
    return pod !== undefined
  }
  await until('there is no Job', runs)
  const rights = await rightsOf(client, uninstaller)
  const from = log.length
  const child = await place.start(pod!)
  const code = await child.ended
  const said = log.slice(from).filter(line => !line.startsWith('{'))
  // Helm prints why it failed.
  if (code !== 0) await serveLog(place, pod!, said)
  await endPod(place, pod!, code)
  const requests = await requestsOf(cluster.auditLog, uninstaller)
  const [container] = pod!.spec.containers
  const config = readConfig(flagsOf(container!), { POD_NAMESPACE: namespace })
  return { code, said, rights, requests, needed: uninstallRights(config) }
}

/** What the API server gets of the pod's log, from the kubelet that it asks. */
async function serveLog(
  { route }: ChartPlace,
  pod: StoredPod,
  lines: readonly string[],
): Promise<void> {
  const now = Date.now()
  const authority = await createAuthority({ now, days: 1 })
  const { nodeName } = pod.spec as { readonly nodeName?: string }
  const names = { dnsNames: [nodeName!], ips: [] }
  const { cert, key } = await issue(authority, { ...names, now, days: 1 })
  const server = createServer({ cert, key }, ({ url = '' }, answer) => {
    const asked = url.startsWith(`/containerLogs/${namespace}/${pod.metadata.name}/uninstall`)
    answer.writeHead(asked ? 200 : 404).end(asked ? `${lines.join('\n')}\n` : '')
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', () => resolve()))
  onTestFinished(() => void server.close())
  route.lead(`${nodeName}:10250`, [(server.address() as AddressInfo).port])
}
