// Routes of the Gateway API, of which the rules say where requests go. Its kinds differ in what a rule without
// matches stands for.

import type { HTTPRoute } from '#api/kubernetes.ts'
import type { RouteMatch } from '#api/rollout.generated.ts'
import type { KindRef } from '../ref.ts'
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

/** Routes of a kind, and by what its API says that a rule is for every request. */
function routesOf(ref: KindRef, everything: RouteMatch): TrafficProvider<HTTPRoute> {
  return {
    ...ref,
    // A merge patch replaces a list whole.
    ...specField('rules', { undo: ({ owner }) => owner, undone: patch => patch ?? undefined }),
    project(owner, text) {
      const wish = routeWishOf(text)
      return wish && owner ? splitRules(rulesOf(owner), { ...wish, everything }) : owner
    },
    ownerOf(incoming, { owner, wish: text }) {
      const wish = routeWishOf(text)
      if (!wish || !incoming) return incoming
      return ownerRules(rulesOf(incoming), rulesOf(owner), { ...wish, everything })
    },
  }
}

const group = 'gateway.networking.k8s.io'

/** HTTPRoutes, in a version. */
export function httpRoutesIn(version: string): TrafficProvider<HTTPRoute> {
  const ref = { apiVersion: `${group}/${version}`, kind: 'HTTPRoute', plural: 'httproutes' }
  return routesOf(ref, { path: { type: 'PathPrefix', value: '/' } })
}

/** The same, in the newest one. */
export const httpRoutes = httpRoutesIn('v1')

/** GRPCRoutes. */
export const grpcRoutes = routesOf(
  { apiVersion: `${group}/v1`, kind: 'GRPCRoute', plural: 'grpcroutes' },
  {},
)

/** Those that there are in the field. */
export function rulesOf(value: unknown): readonly RouteRule[] {
  return Array.isArray(value) ? (value as RouteRule[]) : []
}
