// The parts of the Rollout API that this version does not act on. They are refused, never ignored:
// a canary that silently takes no share of the requests is worse than none. A part that works loses
// its row.

import { ROLLING_STYLE } from '#api/names.ts'
import type {
  GatewayRef,
  NetworkRef,
  Rollout,
  TrafficRouting,
  WorkloadRef,
} from '#api/rollout.generated.ts'
import type { Problem } from '../problem.ts'
import { groupOf, isNative } from '../ref.ts'
import type { KindRef } from '../ref.ts'
import type { Style } from '../style.ts'
import { valuesAt } from '../values-at.ts'
import { isNetworkKind, othersIn, routers } from '../traffic/registry.ts'
import { matchesMore } from '../traffic/router.ts'
import { adapterFor, adapters, inStyle } from '../workload/registry.ts'
import { namedWrongly } from './named-routing.ts'
import { strategyOf, styleOf } from './release-style.ts'

interface Row {
  /** A path below the Rollout; `[]` stands for every item of a list. */
  readonly field: string
  /** Whether this value asks for what is not there; by default any that says something does. */
  readonly refuses?: (value: unknown, rollout: Rollout, asked: Asked) => boolean
  readonly message: string | ((rollout: Rollout, asked: Asked) => string)
}

/** What must be known beside the Rollout. */
export interface Asked {
  /** `traffic` of its steps asks for a share of the requests; by default as what is stored tells it. */
  readonly shares: boolean
  /** Requests are moved in this installation. */
  readonly routes: boolean
}

const kinds = adapters.map(({ apiVersion, kind }) => `${apiVersion} ${kind}`).join(', ')
const noSuchKind = `this version of Sluice does not release this kind of workload; it releases: ${kinds}, and kinds of your own with the fields of a StatefulSet that \`extraKinds\` of the chart names`
const switchedOff =
  'requests are not moved here: switch that on by `traffic.enabled` of the chart (`--traffic=yes` of webhook and controller)'

const rows: readonly Row[] = [
  {
    field: 'spec.workloadRef',
    // The API server has checked the shape: the schema requires all three strings. Other kinds may be
    // registered, now or later.
    refuses: ref => isNoWorkload(ref as WorkloadRef),
    message: ({ spec }) => otherSpelling(spec.workloadRef) ?? noSuchKind,
  },
  {
    field: 'spec.strategy.blueGreen',
    refuses: (_, rollout) => lacks(rollout, 'blueGreen'),
    message: ({ spec }) =>
      adapterFor(spec.workloadRef)?.lacks?.blueGreen ??
      `only Deployments can be released so; release ${spec.workloadRef.kind} by \`canary\``,
  },
  {
    field: 'spec.strategy.canary.patchPodTemplateMetadata',
    refuses: (_, { spec }) => styleOf(spec) !== 'canary',
    message:
      'only pods of a second Deployment (`enableExtraWorkloadForCanary`) get this metadata; ' +
      'remove `patchPodTemplateMetadata`',
  },
  ...['canary', 'blueGreen'].flatMap(routed),
]

/** All by which requests are routed, in the words of either strategy. */
function routed(strategy: string): readonly Row[] {
  const path = `spec.strategy.${strategy}`
  return [
    {
      field: `${path}.trafficRoutings`,
      refuses: (routings, _, { routes }) => !routes && saysSomething(routings),
      message: `${switchedOff}, or remove \`trafficRoutings\``,
    },
    ...routeRows(`${path}.trafficRoutings`),
    {
      field: `${path}.disableGenerateCanaryService`,
      refuses: (one, { spec }, { routes }) =>
        routes && one === true && (strategyOf(spec).trafficRoutings ?? []).some(needsTwo),
      message:
        'a route of the Gateway API tells new pods by a Service of their own, and this asks for none; remove it, or the route from `trafficRoutings`',
    },
    {
      field: `${path}.steps[].traffic`,
      refuses: (traffic, rollout, asked) => asked.shares && goesNowhere(traffic, rollout, asked),
      message: (_, asked) =>
        `${leadsNowhere(asked)}, or remove \`traffic\`: the new pods receive their share through the Service`,
    },
    {
      field: `${path}.steps[].matches`,
      refuses: goesNowhere,
      message: (_, asked) => `${leadsNowhere(asked)}, or remove \`matches\``,
    },
    {
      field: `${path}.steps[].matches`,
      refuses: (matches, { spec }, { routes }) =>
        routes &&
        matchesMore(matches as Matches) &&
        (strategyOf(spec).trafficRoutings ?? []).some(knowsHeadersAlone),
      message:
        'a GRPCRoute matches by headers alone: remove `path` and `queryParams`, or the GRPCRoute from `trafficRoutings`',
    },
    {
      field: `${path}.steps[].requestHeaderModifier`,
      refuses: goesNowhere,
      message: (_, asked) => `${leadsNowhere(asked)}, or remove \`requestHeaderModifier\``,
    },
  ]
}

/** Why a step's requests go nowhere. */
function leadsNowhere({ routes }: Asked): string {
  return routes ? 'nothing says what sends the requests: add `trafficRoutings`' : switchedOff
}

/** No workload of that kind will ever be released. */
function isNoWorkload(ref: WorkloadRef): boolean {
  if (adapterFor(ref) !== undefined) return false
  const known = knownAs(ref)
  return isNative(ref) || (known !== undefined && known.kind !== ref.kind)
}

/** A kind that is released: in another version, without its group, or not as the API server spells it. */
function otherSpelling(ref: WorkloadRef): string | undefined {
  const known =
    knownAs(ref) ?? (isNative(ref) ? adapters.find(each => isCalled(each, ref)) : undefined)
  return known && `write \`apiVersion: ${known.apiVersion}\` and \`kind: ${known.kind}\``
}

function knownAs(ref: WorkloadRef): KindRef | undefined {
  return adapters.find(each => groupOf(each) === groupOf(ref) && isCalled(each, ref))
}

function isCalled({ kind, plural }: KindRef, ref: WorkloadRef): boolean {
  return [kind.toLowerCase(), plural].includes(ref.kind.toLowerCase())
}

/** What must name what sends the requests: a CRD that is not ours may let anything through. */
function routeRows(path: string): readonly Row[] {
  const item = `${path}[]`
  const rows: readonly (Row & { readonly refuses: (value: unknown) => boolean })[] = [
    {
      field: path,
      refuses: items => Array.isArray(items) && items.length > 1,
      message:
        'write one item: several routers can stand side by side in it, as `ingress`, `gateway` and `customNetworkRefs`',
    },
    {
      field: item,
      refuses: named => saysNothing(named as TrafficRouting),
      message: 'name what sends the requests: add `ingress`, `gateway` or `customNetworkRefs`',
    },
    {
      field: `${item}.gateway`,
      refuses: gateway => !(gateway as GatewayRef).httpRouteName,
      message: 'write the name of the HTTPRoute in `httpRouteName`',
    },
    {
      field: item,
      refuses: named => splitsNothing(named as TrafficRouting),
      message:
        'a DestinationRule alone splits nothing: add the VirtualService that sends the requests to `customNetworkRefs`',
    },
    {
      field: `${item}.customNetworkRefs[]`,
      refuses: ref => !isNetworkKind(ref as NetworkRef),
      message:
        'requests are not moved by it here: name an Ingress in `ingress`, an HTTPRoute in `gateway.httpRouteName`, and here a GRPCRoute or the object of another router',
    },
  ]
  return rows.map(row => ({
    ...row,
    refuses: (value, _, { routes }) => routes && row.refuses(value),
  }))
}

function saysNothing({ ingress, gateway, customNetworkRefs = [] }: TrafficRouting): boolean {
  return !ingress && !gateway && customNetworkRefs.length === 0
}

function splitsNothing(item: TrafficRouting): boolean {
  const named = routers.filter(router => router.refsIn(item).length > 0)
  const alone = named.length > 0 && named.every(({ onlyBeside }) => onlyBeside !== undefined)
  return alone && othersIn(item).length === 0
}

/** It names a router that tells new pods by a Service of their own alone. */
function needsTwo(item: TrafficRouting): boolean {
  return routers.some(router => router.betweenServices && router.refsIn(item).length > 0)
}

type Matches = Parameters<typeof matchesMore>[0]

function knowsHeadersAlone(item: TrafficRouting): boolean {
  return routers.some(router => router.headersAlone && router.refsIn(item).length > 0)
}

/** What the Rollout asks for and this version does not do, in the order of the table. */
export function unsupported(rollout: Rollout, known: Partial<Asked> = {}): readonly Problem[] {
  const asked: Asked = { shares: asksForTraffic(rollout), routes: false, ...known }
  const found = rows.flatMap(({ field, refuses = saysSomething, message }) =>
    valuesAt(rollout, field)
      .filter(({ value }) => refuses(value, rollout, asked))
      .map(found => ({
        field: found.field,
        message: typeof message === 'string' ? message : message(rollout, asked),
      })),
  )
  return [...found, ...namedWrongly(rollout, asked.routes ? undefined : switchedOff)]
}

/**
 * Whether `traffic` of a step asks for a share of the requests. In the older version of the API it is
 * `weight`, by which a step also says how many pods are new: with nothing to route by it says no more.
 */
export function asksForTraffic(rollout: Rollout): boolean {
  return hasRoutes(rollout) || !wasOlder(rollout)
}

/** Whether the Rollout says by what requests are to be routed in its steps. */
export function hasRoutes({ spec }: Pick<Rollout, 'spec'>): boolean {
  return (strategyOf(spec).trafficRoutings ?? []).length > 0
}

/** It asks for something of requests, which nobody moves. */
function goesNowhere(value: unknown, rollout: Rollout, { routes }: Asked): boolean {
  return saysSomething(value) && !(routes && hasRoutes(rollout))
}

/** What is stored does not say in which version it was written, but for what the conversion makes of it. */
function wasOlder({ metadata, spec }: Rollout): boolean {
  if (metadata.annotations?.[ROLLING_STYLE] !== undefined) return true
  // Without the annotation it asks for a second workload.
  return spec.strategy.canary?.enableExtraWorkloadForCanary === true
}

/** It asks for the style, in which its kind of workload cannot be released. */
function lacks({ spec }: Rollout, style: Style): boolean {
  if (isNoWorkload(spec.workloadRef)) return false
  const adapter = adapterFor(spec.workloadRef)
  return styleOf(spec) === style && (!adapter || inStyle(adapter, style) === undefined)
}

/** An empty list, an empty text and `false` say the same as no field at all. */
function saysSomething(value: unknown): boolean {
  return Array.isArray(value) ? value.length > 0 : Boolean(value)
}
