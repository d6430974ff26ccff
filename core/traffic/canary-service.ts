// The Service of the new pods: a copy of the stable one that selects the new version. It belongs to the
// workload: a Rollout that is deleted must not take it away while requests still come.

import { ESCAPE, ORIGINAL, RECORD, TRAFFIC } from '#api/names.ts'
import type { Service } from '#api/kubernetes.ts'
import { defined } from '../defined.ts'
import { isMadeFor, madeFor, ownedBy } from './made.ts'
import type { Owner } from './made.ts'
import type { Routing } from './model.ts'
import type { Routed } from './routed.ts'
import type { ServiceSeen } from './seen.ts'

type Labels = Readonly<Record<string, string>>

/** Its name. */
export function canaryServiceName(service: string): string {
  return `${service}-canary`
}

/** Where requests for new pods are sent. */
export function newServiceOf({ service, oneService }: Routing): string {
  return oneService ? service : canaryServiceName(service)
}

/** That of the new pods, if it is ours. */
export function ownCanary({ pods, traffic: { canary, routing } }: Routed): ServiceSeen | undefined {
  return canary && isMadeFor(pods, routing.service, canary) ? canary : undefined
}

/** The Services that are looked at: that of the owner, and the one that new pods have of their own. */
export function servicesOf(routing: Routing): readonly string[] {
  return [...new Set([routing.service, newServiceOf(routing)])]
}

/** By what it selects: as the stable one, and the new version. */
export function canarySelector(stable: ServiceSeen, revision: Labels, podLabels: Labels): Labels {
  const own = { ...stable.selector }
  // Pods that are labelled otherwise than the template says would not be found.
  const relabelled = Object.entries(podLabels).filter(([key]) => key in own)
  return { ...own, ...Object.fromEntries(relabelled), ...revision }
}

/** What an API server gives to one Service only. */
const given = [
  'clusterIP',
  'clusterIPs',
  'externalIPs',
  'ipFamilies',
  'ipFamilyPolicy',
  'loadBalancerIP',
  'healthCheckNodePort',
]

/** By these others know what is theirs: a copy is not. */
const tracked = /^(?:kubectl\.kubernetes\.io|argocd\.argoproj\.io|meta\.helm\.sh)\//

/** The Service itself. */
export function canaryServiceOf(stable: ServiceSeen, owner: Owner, selector: Labels): Service {
  const { metadata, spec = {} } = stable.object
  const copied = Object.entries(spec).filter(([field]) => !given.includes(field))
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      namespace: owner.ref.namespace,
      name: canaryServiceName(metadata.name),
      labels: untracked(metadata.labels),
      annotations: {
        ...untracked(metadata.annotations),
        ...madeFor(owner, { service: metadata.name }),
      },
      ownerReferences: [ownedBy(owner)],
    },
    spec: {
      ...Object.fromEntries(copied),
      ...defined({ ports: portsOf(stable) }),
      selector,
    },
  }
}

type Port = Readonly<Record<string, unknown>>

/** Its ports, but for what each Service is given by itself. */
export function portsOf({ object }: ServiceSeen): readonly Port[] | undefined {
  const { ports } = { ...(object.spec as { readonly ports?: readonly Port[] } | undefined) }
  return ports?.map(withoutNodePort)
}

function withoutNodePort(port: Port): Port {
  const { nodePort: _, ...others } = port
  return others
}

/** Labels or annotations, without those by which others know what is theirs. */
export function untracked(words: Labels | undefined): Labels {
  const ours = [TRAFFIC, RECORD, ORIGINAL, ESCAPE]
  const kept = Object.entries({ ...words }).filter(
    ([key]) => !tracked.test(key) && !ours.includes(key),
  )
  return Object.fromEntries(kept)
}
