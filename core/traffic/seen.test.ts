// What gateways say of a route.

import { expect, test } from 'vitest'

import type { HTTPRoute, ParentReference } from '#api/kubernetes.ts'
import { httpRouteRouter } from './gateway-route-router.ts'
import { httpRoutes } from './gateway-route.ts'
import type { RouteUse } from './router.ts'
import { seeRoute } from './seen.ts'

type Status = NonNullable<HTTPRoute['status']>
type Told = NonNullable<Status['parents']>[number]

const GENERATION = 2
const inner = { name: 'inner' }
const outer = { name: 'outer', namespace: 'edge', sectionName: 'https' }
const fine = ['Accepted', 'ResolvedRefs'].map(type => said(type))

function said(type: string, observedGeneration = GENERATION, status = 'True') {
  return { type, status, observedGeneration, reason: 'NotAllowedByListeners', message: 'not here' }
}

function by(parentRef: ParentReference, conditions: NonNullable<Told['conditions']> = fine): Told {
  return { parentRef, controllerName: 'example.com/gateway', conditions }
}

/** What is waited for after a split, and after it is gone. */
function waits(...parents: Told[]): readonly [string | undefined, string | undefined] {
  const route: HTTPRoute = {
    apiVersion: httpRoutes.apiVersion,
    kind: 'HTTPRoute',
    metadata: { name: 'web', namespace: 'shop', uid: 'r', generation: GENERATION },
    spec: { parentRefs: [inner, outer], rules: [] },
    status: { parents },
  }
  const found = { ref: { ...httpRoutes, name: 'web' }, object: seeRoute(route) }
  const routing = { service: 'web', routes: [found.ref], graceSeconds: 3 }
  const use: RouteUse = { routing, answers: new Map() }
  const router = httpRouteRouter(httpRoutes)
  const asked = { split: { percent: 20 }, now: 0 }
  return [router.splitSeen(found, use, asked)?.why, router.offSeen(found, use)?.why]
}

const taking = (name: string) => `waiting for Gateway ${name} to take HTTPRoute web over`
const refused = 'Gateway outer/https does not route HTTPRoute web: NotAllowedByListeners: not here'

test.each<[string, readonly Told[], string | undefined, string | undefined]>([
  ['both have taken it over', [by(inner), by(outer)], undefined, undefined],
  ['nobody has said anything', [], taking('inner'), undefined],
  ['one has said nothing yet', [by(inner)], taking('outer/https'), undefined],
  [
    'one is behind',
    [by(inner), by(outer, [said('Accepted', 1), said('ResolvedRefs', 1)])],
    taking('outer/https'),
    taking('outer/https'),
  ],
  [
    'one refuses it',
    [by(inner), by(outer, [said('Accepted', GENERATION, 'False'), said('ResolvedRefs')])],
    refused,
    undefined,
  ],
  [
    'one does not say whether it finds the Services',
    [by(inner), by(outer, [said('Accepted')])],
    'Gateway outer/https does not route HTTPRoute web: it has no condition ResolvedRefs',
    undefined,
  ],
  [
    'another listener of the same gateway is another parent',
    [by(inner), by({ ...outer, sectionName: 'http' })],
    taking('outer/https'),
    undefined,
  ],
  [
    'words spelled out are the same as left out',
    [
      by({ ...inner, group: 'gateway.networking.k8s.io', kind: 'Gateway', namespace: 'shop' }),
      by(outer),
    ],
    undefined,
    undefined,
  ],
  [
    'what a gateway says beside these two is its own business',
    [by(inner, [...fine, said('example.com/Audited', 1, 'False')]), by(outer)],
    undefined,
    undefined,
  ],
])('%s', (_, parents, split, off) => {
  expect(waits(...parents)).toEqual([split, off])
})
