// An Ingress of our own beside the owner's, for a share of the requests: his rules that lead to the Service,
// with the Service of the new pods in its place. A script says by which annotations the Ingress controller
// tells the two apart.

import type { Ingress, IngressPath, IngressRule, KubeObject } from '#api/kubernetes.ts'
import { ROUTED } from '#api/names.ts'
import type { MergePatch } from '../change.ts'
import { defined } from '../defined.ts'
import { equalJson } from '../equal.ts'
import { momentOf } from '../time.ts'
import type { Instant } from '../time.ts'
import { untracked } from './canary-service.ts'
import { madeFor, ownedBy } from './made.ts'
import type { Owner } from './made.ts'
import type { Split } from './model.ts'
import { recordIn } from './wish.ts'

type Annotations = Readonly<Record<string, string>>

/** The one where none is said. */
export const DEFAULT_CLASS = 'nginx'

/** Classes whose Ingress controllers tell new pods by a Service of their own alone. */
export const classesByService: readonly string[] = [DEFAULT_CLASS, 'higress', 'aliyun-alb']

/** Its name. */
export function canaryIngressName(ingress: string): string {
  return `${ingress}-canary`
}

/** Between which Services. */
interface Between {
  readonly service: string
  readonly canary: string
}

/** Some path of it leads to the Service. */
export function leadsTo({ spec }: Ingress, service: string): boolean {
  return (spec?.rules ?? []).some(rule => pathsTo(rule, service).length > 0)
}

function pathsTo({ http }: IngressRule, service: string): readonly IngressPath[] {
  return (http?.paths ?? []).filter(({ backend }) => backend?.service?.name === service)
}

/** What a script is given; the names are those of Kruise Rollouts. */
export function ingressInput({ metadata }: Ingress, canary: string, split: Split): unknown {
  const { percent, matches, headers } = split
  return defined({
    annotations: untracked(metadata.annotations),
    weight: String(percent ?? -1),
    matches,
    canaryService: canary,
    requestHeaderModifier: headers,
  })
}

/** The annotations that a script has returned; undefined where they are none. */
export function annotationsIn(returned: unknown): Annotations | undefined {
  const all = Object.values({ ...(returned as object | null) })
  const fit = !Array.isArray(returned) && all.every(value => typeof value === 'string')
  return fit ? (returned as Annotations) : undefined
}

/** The Ingress for new pods. */
export function canaryIngressOf(
  own: Ingress,
  owner: Owner,
  between: Between,
  { annotations, now }: { readonly annotations: Annotations; readonly now: Instant },
): Ingress {
  const { apiVersion, kind, metadata } = own
  const marks = {
    [ROUTED]: formatRouted(annotations, now),
    ...madeFor(owner, { service: between.service, route: metadata.name }),
  }
  return {
    apiVersion,
    kind,
    metadata: {
      ...defined({ namespace: metadata.namespace }),
      name: canaryIngressName(metadata.name),
      labels: untracked(metadata.labels),
      annotations: { ...annotations, ...marks },
      ownerReferences: [ownedBy(owner)],
    },
    spec: specOf(own, between),
  }
}

/** The patch that makes ours what it is to be; undefined where it is. What others put there stays. */
export function ingressChange(ours: Ingress, wanted: Ingress): MergePatch | undefined {
  const { [ROUTED]: routed = '', ...annotations } = { ...wanted.metadata.annotations }
  const before = { ...ours.metadata.annotations }
  const gone = annotationsSet(ours).filter(key => key in before && !(key in annotations))
  const labels = { ...wanted.metadata.labels }
  const stands =
    gone.length === 0 &&
    contains(before, annotations) &&
    contains({ ...ours.metadata.labels }, labels) &&
    equalJson(parts(ours), parts(wanted))
  if (stands) return undefined
  const none = Object.fromEntries(gone.map(key => [key, null]))
  return {
    metadata: { annotations: { ...none, ...annotations, [ROUTED]: routed }, labels },
    spec: { ingressClassName: null, tls: null, ...wanted.spec } as MergePatch,
  }
}

/** Since when it stands as it does. */
export function routedSince({ metadata }: KubeObject): string | undefined {
  const { since } = recordIn(metadata.annotations?.[ROUTED] ?? '')
  return typeof since === 'string' ? since : undefined
}

/** The annotations that we have put there. */
function annotationsSet({ metadata }: KubeObject): readonly string[] {
  const { keys } = recordIn(metadata.annotations?.[ROUTED] ?? '')
  return Array.isArray(keys) ? keys.filter(key => typeof key === 'string') : []
}

function formatRouted(annotations: Annotations, now: Instant): string {
  return JSON.stringify({ since: momentOf(now), keys: Object.keys(annotations).toSorted() })
}

function specOf(
  { spec = {} }: Ingress,
  { service, canary }: Between,
): NonNullable<Ingress['spec']> {
  const { ingressClassName, tls, rules = [] } = spec
  const ours = rules.flatMap(rule => {
    const paths = pathsTo(rule, service).map(path => toService(path, canary))
    return paths.length > 0 ? [{ ...rule, http: { ...rule.http, paths } }] : []
  })
  return defined({ ingressClassName, tls, rules: ours })
}

function toService(path: IngressPath, name: string): IngressPath {
  return { ...path, backend: { ...path.backend, service: { ...path.backend!.service, name } } }
}

/** What the API server adds to the spec is no difference. */
function parts({ spec = {} }: Ingress) {
  const { ingressClassName, tls, rules } = spec
  return { ingressClassName, tls, rules }
}

function contains(all: Annotations, some: Annotations): boolean {
  return Object.entries(some).every(([key, value]) => all[key] === value)
}
