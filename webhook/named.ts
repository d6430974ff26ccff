// What is known of what a Rollout names, when it is written: its workload, and the kinds of its routes. It is
// accepted whatever that is, since all of it may come later; and what cannot be read in time is not known.

import type { KubeObject } from '#api/kubernetes.ts'
import type { Rollout } from '#api/rollout.generated.ts'
import type { Named } from '#core/admission/rollout-warnings.ts'
import { defined } from '#core/defined.ts'
import { isNative, isSameKind, isSameVersion } from '#core/ref.ts'
import type { KindRef } from '#core/ref.ts'
import { routingOf } from '#core/rollout/parse.ts'
import { notRegistered, notServed } from '#core/rollout/unseen.ts'
import type { RouteRef } from '#core/traffic/model.ts'
import {
  notRegistered as routeNotRegistered,
  notServed as routeNotServed,
} from '#core/traffic/route-moves.ts'
import { routersWith } from '#core/traffic/registry.ts'
import { adapterFor, adaptersWith } from '#core/workload/registry.ts'
import type { KubeClient } from '#kube/client.ts'
import { findKind } from '#kube/discovery.ts'
import { NotFound } from '#kube/errors.ts'
import type { RequestOptions } from '#kube/requests.ts'
import { resource } from '#kube/resources.ts'

/** Gives what is known. Rejects only where the Rollout itself makes no sense. */
export type LookUpNamed = (rollout: Rollout) => Promise<Named>

/** What an installation has beside what we know. */
export interface NamedOptions {
  readonly extraKinds: readonly KindRef[]
  /** Requests are moved. */
  readonly routes: boolean
  readonly routeKinds: readonly KindRef[]
  /** How long the API server may wait for us meanwhile, in milliseconds. */
  readonly patienceMs?: number
}

/** The API server is asked for kinds that a cluster may lack, and for no others. */
export function createLookUpNamed(client: KubeClient, options: NamedOptions): LookUpNamed {
  const { extraKinds, routes, patienceMs = 1300 } = options
  return async ({ metadata: { namespace = '' }, spec }) => {
    const patience = { signal: AbortSignal.timeout(patienceMs) }
    const refs = routes ? oneOfEachKind(routingOf(spec)?.routes ?? []) : []
    const ref = { ...spec.workloadRef, namespace }
    const [workload, troubles] = await Promise.all([
      workloadOf(client, extraKinds, ref, patience).catch(nothing),
      Promise.all(
        refs.map(each => troubleOf(client, options, each, patience).catch(() => undefined)),
      ),
    ])
    // The first is mended first.
    const unmovable = troubles.find(trouble => trouble !== undefined)
    return { ...workload, ...defined({ unmovable }) }
  }
}

const nothing = () => ({})

function oneOfEachKind(refs: readonly RouteRef[]): readonly RouteRef[] {
  return refs.filter((ref, index) => refs.findIndex(each => isSameVersion(each, ref)) === index)
}

type Ref = Rollout['spec']['workloadRef'] & { readonly namespace: string }

async function workloadOf(
  client: KubeClient,
  extraKinds: readonly KindRef[],
  { namespace, name, ...ref }: Ref,
  patience: RequestOptions,
): Promise<Pick<Named, 'unseen' | 'workload'>> {
  const adapter = adapterFor(ref, adaptersWith(extraKinds))
  const known = extraKinds.find(each => isSameVersion(each, ref))
  const found = isNative(ref)
    ? 'native'
    : await findKind(client, known ?? ref, patience).catch(() => 'secret' as const)
  if (found === 'nowhere') return { unseen: notServed(ref, extraKinds) }
  if (!adapter) {
    if (found === 'native') return {}
    const plural = found === 'secret' ? undefined : found.name
    return { unseen: notRegistered(ref, plural, extraKinds) }
  }
  const { apiVersion, plural, kind } = adapter
  const type = resource<KubeObject>(apiVersion, plural, kind)
  const workload = await client.get(type, { namespace, name }, patience).catch(missing)
  // Where the API server does not say whether it has the kind, nobody can tell the two apart.
  return workload === 'missing' && found === 'secret' ? {} : { workload }
}

function missing(error: unknown): 'missing' {
  if (error instanceof NotFound) return 'missing'
  throw error
}

/** Why no requests are moved by routes of this kind. */
async function troubleOf(
  client: KubeClient,
  { routeKinds }: NamedOptions,
  ref: RouteRef,
  patience: RequestOptions,
): Promise<string | undefined> {
  const versions = routersWith(routeKinds).filter(each => isSameKind(each, ref))
  if (versions.length === 0) return routeNotRegistered(ref)
  // In no version that is read.
  const found = await Promise.all(versions.map(each => findKind(client, each, patience)))
  return found.every(served => served === 'nowhere') ? routeNotServed(ref) : undefined
}
