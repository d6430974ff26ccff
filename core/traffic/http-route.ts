// Routes of the Gateway API: which of their rules reach which Service, and whether all gateways have taken
// them over.

import type { HTTPRoute } from '#api/kubernetes.ts'
import type { TrafficProvider } from './model.ts'
import { specField } from './spec-field.ts'
import { ownerRules, splitRules } from './split-rules.ts'
import type { RouteRule, RouteWish } from './split-rules.ts'
import { recordIn } from './wish.ts'

/** The wish as text. */
export function formatRouteWish(wish: RouteWish): string {
  return JSON.stringify(wish)
}

/** A wish that was read; undefined where it is none. */
export function routeWishOf(text: string): Omit<RouteWish, 'workload'> | undefined {
  const { service, canary, split } = recordIn(text) as Partial<RouteWish>
  const complete = typeof service === 'string' && typeof canary === 'string'
  return complete && typeof split === 'object' ? { service, canary, split } : undefined
}

const shared: Omit<TrafficProvider<HTTPRoute>, 'apiVersion'> = {
  kind: 'HTTPRoute',
  plural: 'httproutes',
  // A merge patch replaces a list whole.
  ...specField('rules', { undo: ({ owner }) => owner, undone: patch => patch ?? undefined }),
  project(owner, text) {
    const wish = routeWishOf(text)
    return wish && owner ? splitRules(rulesOf(owner), wish) : owner
  },
  ownerOf(incoming, { owner, wish: text }) {
    const wish = routeWishOf(text)
    return wish && incoming ? ownerRules(rulesOf(incoming), rulesOf(owner), wish) : incoming
  },
}

/** HTTPRoutes, in a version. */
export function httpRoutesIn(version: string): TrafficProvider<HTTPRoute> {
  return { ...shared, apiVersion: `gateway.networking.k8s.io/${version}` }
}

/** The same, in the newest one. */
export const httpRoutes = httpRoutesIn('v1')

/** Those that there are in the field. */
export function rulesOf(value: unknown): readonly RouteRule[] {
  return Array.isArray(value) ? (value as RouteRule[]) : []
}
