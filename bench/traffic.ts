// Steps that move requests, and no pod: how long one takes from its approval until its split is proven, and what it
// writes. In a cluster of their own, since Sluice watches more where it moves requests. A stand-in plays the
// gateway, and answers at once.

import type { KubeObject } from '#api/kubernetes.ts'
import { DEPLOYMENTS, HTTP_ROUTES, resource, SERVICES } from '#kube/resources.ts'
import type { ResourceType } from '#kube/resources.ts'
import { serveRoutes, startGateway } from '../test/cluster/gateway.ts'
import { WORKLOAD } from '../test/cluster/manifests.ts'
import { ownRules, routeOf, serviceOf } from '../test/cluster/routed.ts'
import { rollOut } from './floor.ts'
import { named, startPlace } from './place.ts'
import type { Family, Place } from './place.ts'
import { spread } from './samples.ts'
import type { Spread } from './samples.ts'
import { calm, readSteps } from './steps.ts'
import { createSubject } from './subject.ts'

/** Releases that are measured, and those before them that are not. */
const RUNS = { measured: 5, warm: 1 }
const shares = [20, 40, 60, 80]
const steps = shares.map(share => ({ replicas: '50%', traffic: `${share}%` }))
const ingresses = resource('networking.k8s.io/v1', 'ingresses', 'Ingress')

/** What the steps after the first have cost. */
export interface TrafficFigures {
  /** Milliseconds from the approval until the split of the step is proven. */
  readonly latency: Spread
  /** How many of these are a grace period, which is no shorter on a faster machine. */
  readonly graceMs: number
  /** Of a plain Deployment, two before each release. */
  readonly plainRollOut: Spread
  /** All objects of the release but its events. */
  readonly writesPerStep: Spread
  readonly writesByKind: Readonly<Record<string, number>>
  /** The audit log has every edit and every approval of every measured release. */
  readonly complete: boolean
}

interface Way {
  readonly name: string
  /** What of `trafficRoutings` says it. */
  readonly by: object
  readonly graceSeconds: number
  /** Who routes tells that the split is there: nothing is waited for beside. */
  readonly proves?: true
  readonly make: (place: Place, namespace: string) => Promise<unknown>
}

const routeBy = { gateway: { httpRouteName: WORKLOAD } }
const ingressBy = { ingress: { name: WORKLOAD } }

/** A gateway tells when it has taken a split over: nobody waits for the grace period. */
export const byRoute = familyOf({
  name: 'byRoute',
  by: routeBy,
  graceSeconds: 3,
  proves: true,
  make: ({ client }, namespace) => client.create(HTTP_ROUTES, routeOf(namespace, ownRules)),
})
/** Who routes by an Ingress tells nothing, so that the grace period is all that can be waited for. */
export const byIngress = familyOf({
  name: 'byIngress',
  by: ingressBy,
  graceSeconds: 0,
  make: makeIngress,
})
export const byIngressGraced = familyOf({
  name: 'byIngressGraced',
  by: ingressBy,
  graceSeconds: 3,
  make: makeIngress,
})

function familyOf(way: Way): Family<TrafficFigures> {
  return named(way.name, async outer => {
    outer.progress(`steps of requests alone, ${way.name}`)
    const place = await startPlace(() => {}, { traffic: true })
    try {
      await serveRoutes(place.client)
      const gateway = await startGateway(place.client)
      const figures = await measure(place, way)
      gateway.stop()
      return figures
    } finally {
      await place.stop()
    }
  })
}

async function measure(place: Place, way: Way): Promise<TrafficFigures> {
  const trafficRoutings = [{ service: WORKLOAD, gracePeriodSeconds: way.graceSeconds, ...way.by }]
  const subject = await createSubject(place, { steps, canary: { trafficRoutings } })
  const plain = await createSubject(place, { steps: false })
  const { namespace } = subject
  for (const name of [WORKLOAD, 'images']) {
    await place.client.create(SERVICES as ResourceType, serviceOf(namespace, name))
  }
  await way.make(place, namespace)
  const latencies: number[] = []
  const rollOuts: number[] = []
  for (let run = 1 - RUNS.warm; run <= RUNS.measured; run++) {
    const floors = [await rollOut(plain), await rollOut(plain)]
    if (run >= 1) rollOuts.push(...floors)
    await subject.edit()
    for (let step = 1; step <= shares.length; step++) {
      await subject.paused(step)
      await calm()
      const { acceptedAt } = await subject.approve()
      if (step === shares.length) continue
      const provenAt = await subject.paused(step + 1)
      if (run >= 1) latencies.push(provenAt - acceptedAt)
    }
    await subject.healthy()
    await calm()
  }
  // After the last approval the release ends.
  const asked = { releases: RUNS.measured, steps: shares.length - 1 }
  const { writes, writesByKind, approvals } = await readSteps(place, {
    namespace,
    plural: DEPLOYMENTS.plural,
    ...asked,
  })
  return {
    writesPerStep: spread(writes.map(({ length }) => length)),
    writesByKind,
    complete:
      approvals.length === RUNS.measured && approvals.every(given => given === shares.length),
    latency: spread(latencies),
    graceMs: way.proves ? 0 : way.graceSeconds * 1000,
    plainRollOut: spread(rollOuts),
  }
}

function makeIngress({ client }: Place, namespace: string): Promise<KubeObject> {
  const { apiVersion, kind } = ingresses
  const backend = { service: { name: WORKLOAD, port: { number: 80 } } }
  const paths = [{ path: '/', pathType: 'Prefix', backend }]
  const spec = { ingressClassName: 'nginx', rules: [{ host: 'shop.example.com', http: { paths } }] }
  const metadata = { namespace, name: WORKLOAD }
  return client.create(ingresses, { apiVersion, kind, metadata, spec } as KubeObject)
}
