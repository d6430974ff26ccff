// How the rules of a route are split between the Service of the stable pods and that of the new ones. Rules
// that send nothing to the stable Service are somebody else's business, and stay as they are.

import { defined } from '../defined.ts'
import { equalJson } from '../equal.ts'
import type { HeaderModifier, RouteMatch } from '#api/rollout.generated.ts'
import type { Split, Whose } from './model.ts'

/** Where a rule sends requests. What we do not read is kept as it is. */
export interface BackendRef {
  readonly group?: string
  readonly kind?: string
  readonly name: string
  readonly namespace?: string
  readonly weight?: number
  readonly filters?: readonly Filter[]
  readonly [field: string]: unknown
}

interface Filter {
  readonly type: string
  readonly requestHeaderModifier?: HeaderModifier
  readonly [field: string]: unknown
}

/** One rule of a route. */
export interface RouteRule {
  readonly name?: string
  readonly matches?: readonly RouteMatch[]
  readonly backendRefs?: readonly BackendRef[]
  readonly [field: string]: unknown
}

/** Between which Services a route is split, and how. */
export interface RouteWish {
  readonly workload: Whose
  /** Of the stable pods. */
  readonly service: string
  /** Of the new pods; it is ours. */
  readonly canary: string
  readonly split: Split
}

/** What of it says how, and what a rule without matches stands for. */
interface SplitWish extends Omit<RouteWish, 'workload'> {
  readonly everything: RouteMatch
}

type Rules = readonly RouteRule[]

/** The rules with the split in them. A share of nothing names the Service of the new pods all the same. */
export function splitRules(owner: Rules, wish: SplitWish): Rules {
  const { service, canary, split } = wish
  const { matches = [], percent, headers } = split
  const toNew = (ref: BackendRef) => asCanary(ref, canary, headers)
  if (matches.length > 0) return [...owner, ...matchingRules(owner, wish, toNew)]
  if (percent === undefined) return owner
  return owner.map(rule => weighted(rule, service, percent, toNew))
}

/** Some rule sends requests to the Service. */
export function routesTo(rules: Rules, service: string): boolean {
  return rules.some(rule => refsOf(rule).some(ref => isService(ref, service)))
}

/**
 * What others want by `incoming`, where `ours` are the rules of `owner` with the split in them. A rule that
 * nobody touched is the owner's as it was; of one that somebody has changed only what is ours goes.
 */
export function ownerRules(incoming: Rules, owner: Rules, wish: SplitWish): Rules {
  const ours = splitRules(owner, wish)
  if (equalJson(incoming, ours)) return owner
  const known = owner.map((rule, index) => ({ rule, split: ours[index]! }))
  return incoming
    .filter(rule => !isOurs(rule, wish.canary))
    .map((rule, index) => {
      const untouched = known.find(({ split }) => equalJson(split, rule))
      if (untouched) return untouched.rule
      const named = known.filter(({ rule: { name } }) => name && name === rule.name)
      return withoutCanary(rule, wish, [...named, ...known.slice(index, index + 1), ...known])
    })
}

interface Known {
  readonly rule: RouteRule
  readonly split: RouteRule
}

/** Requests come in the proportion of weights: beside others each weight grows, so that a share of one can be told. */
function weighted(
  rule: RouteRule,
  service: string,
  percent: number,
  toNew: (ref: BackendRef) => BackendRef,
): RouteRule {
  const refs = refsOf(rule)
  if (!refs.some(ref => isService(ref, service) && weightOf(ref) > 0)) return rule
  const weights = weightsOf(refs)
  const backendRefs = refs.flatMap((ref, index) => {
    const weight = weights[index]!
    if (!isService(ref, service) || weight === 0) return [{ ...ref, weight }]
    const share = Math.round((weight * percent) / 100)
    return [{ ...ref, weight: weight - share }, toNew({ ...ref, weight: share })]
  })
  return { ...rule, backendRefs }
}

/** The API server takes no larger one. */
const MOST_WEIGHT = 1_000_000

/** One alone has all requests, whatever its weight says: in hundredths of them. */
function weightsOf(refs: readonly BackendRef[]): readonly number[] {
  if (refs.length === 1) return [100]
  const own = refs.map(weightOf)
  const unit = Math.max(Math.min(100, Math.floor(MOST_WEIGHT / Math.max(...own))), 1)
  return own.map(weight => weight * unit)
}

/** A rule for each that reaches the stable Service, with the same filters, for requests that match as well. */
function matchingRules(
  owner: Rules,
  { service, everything, split: { matches = [] } }: SplitWish,
  toNew: (ref: BackendRef) => BackendRef,
): Rules {
  const reaching = owner.filter(rule => refsOf(rule).some(ref => isService(ref, service)))
  return reaching.flatMap((rule, index) => {
    const ref = refsOf(rule).find(each => isService(each, service))!
    const { weight: _, ...backend } = ref
    const { name: __, ...nameless } = rule
    const own = rule.matches && rule.matches.length > 0 ? rule.matches : [everything]
    // A path is matched as it is asked for, once; other conditions join those of the rule.
    const both = matches.flatMap(match => {
      if (match.path) return index === 0 ? [match] : []
      return own.flatMap(each => joined(each, match))
    })
    if (both.length === 0) return []
    return [{ ...nameless, matches: both, backendRefs: [toNew({ ...backend, weight: 1 })] }]
  })
}

/** No request meets two conditions on one name that differ. */
function joined(own: RouteMatch, asked: RouteMatch): readonly RouteMatch[] {
  const headers = conditions(own.headers, asked.headers, name => name.toLowerCase())
  const queryParams = conditions(own.queryParams, asked.queryParams, name => name)
  if (headers === 'never' || queryParams === 'never') return []
  return [{ ...own, ...defined({ headers, queryParams }) }]
}

interface Condition {
  readonly type?: string
  readonly name: string
  readonly value: string
}

function conditions<T extends Condition>(
  own: readonly T[] | undefined,
  asked: readonly T[] | undefined,
  key: (name: string) => string,
): readonly T[] | 'never' | undefined {
  if (!own || !asked) return own ?? asked
  const others = asked.filter(({ name }) => !own.some(each => key(each.name) === key(name)))
  const same = asked.filter(each => !others.includes(each))
  const met = same.every(each => own.some(one => isSame(one, each, key)))
  return met ? [...own, ...others] : 'never'
}

function isSame<T extends Condition>(a: T, b: T, key: (name: string) => string): boolean {
  const type = (each: T) => each.type ?? 'Exact'
  return key(a.name) === key(b.name) && a.value === b.value && type(a) === type(b)
}

const MODIFIER = 'RequestHeaderModifier'

function asCanary(ref: BackendRef, canary: string, headers: HeaderModifier | undefined) {
  return { ...ref, name: canary, ...(headers && { filters: modified(ref.filters, headers) }) }
}

/** The API has room for one such filter. */
function modified(filters: readonly Filter[] = [], headers: HeaderModifier): readonly Filter[] {
  const { requestHeaderModifier: own = {} } = { ...filters.find(({ type }) => type === MODIFIER) }
  const requestHeaderModifier = defined({
    set: together(own.set, headers.set, ({ name }) => name),
    add: together(own.add, headers.add, ({ name }) => name),
    remove: together(own.remove, headers.remove, name => name),
  })
  const others = filters.filter(({ type }) => type !== MODIFIER)
  return [...others, { type: MODIFIER, requestHeaderModifier }]
}

/** Of two for one header the step's counts. */
function together<T>(
  own: readonly T[] | undefined,
  asked: readonly T[] | undefined,
  nameOf: (item: T) => string,
): readonly T[] | undefined {
  if (!own || !asked) return own ?? asked
  const names = new Set(asked.map(item => nameOf(item).toLowerCase()))
  return [...own.filter(item => !names.has(nameOf(item).toLowerCase())), ...asked]
}

/** Nobody but us sends requests to the Service of the new pods. */
function isOurs(rule: RouteRule, canary: string): boolean {
  const refs = refsOf(rule)
  return refs.length > 0 && refs.every(ref => isService(ref, canary))
}

function withoutCanary(
  rule: RouteRule,
  { canary }: SplitWish,
  candidates: readonly Known[],
): RouteRule {
  const refs = refsOf(rule)
  if (!refs.some(ref => isService(ref, canary))) return rule
  const own = refs.filter(ref => !isService(ref, canary))
  return { ...rule, backendRefs: own.map(ref => withOwnWeight(ref, candidates)) }
}

/** A weight as we have set it is none of his. */
function withOwnWeight(ref: BackendRef, candidates: readonly Known[]): BackendRef {
  for (const { rule, split } of candidates) {
    const ours = refsOf(split).find(each => isSameBackend(each, ref))
    const his = refsOf(rule).find(each => isSameBackend(each, ref))
    if (!ours || !his || ours.weight !== ref.weight) continue
    const { weight: _, ...others } = ref
    return { ...others, ...defined({ weight: his.weight }) }
  }
  return ref
}

function isSameBackend(a: BackendRef, b: BackendRef): boolean {
  return a.name === b.name && a['port'] === b['port'] && a.namespace === b.namespace
}

function refsOf({ backendRefs = [] }: RouteRule): readonly BackendRef[] {
  return backendRefs
}

function weightOf({ weight = 1 }: BackendRef): number {
  return weight
}

/** What is silent about kind and namespace means a Service beside the route. */
function isService({ group = '', kind = 'Service', name, namespace }: BackendRef, service: string) {
  return group === '' && kind === 'Service' && name === service && namespace === undefined
}
