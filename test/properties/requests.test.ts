// Whatever is late, in whatever order: requests are sent only where somebody answers, they leave new pods before
// those leave, and nothing of ours is left in the end.

import fc from 'fast-check'
import { expect, test } from 'vitest'

import { TRAFFIC } from '#api/names.ts'
import type { Change } from '#core/change.ts'
import { equalJson } from '#core/equal.ts'
import { OVER } from '#core/traffic/wish.ts'
import { ownService, RoutedWorld, SIZE } from '../world/routed-world.ts'
import type { Stage, Way } from '../world/routed-world.ts'

const happenings = {
  look: world => lookAt(world),
  endpoints: world => world.tellEndpoints(),
  gateway: world => world.tellGateway(),
  ready: world => world.allReady(),
  owner: world => world.ownerApplies(),
  waits: world => void (world.neighbour = 'waits'),
  answers: world => void (world.neighbour = 'answers'),
  none: world => void (world.neighbour = 'none'),
  deleted: world => world.makeRouting(false),
  made: world => world.makeRouting(true),
} satisfies Readonly<Record<string, (world: RoutedWorld) => void>>

type Happening = keyof typeof happenings

/** A step that sends a share, or one that leaves requests alone. */
function stagesOf(fresh: number, percent: number | null): readonly Stage[] {
  if (percent === null) return [{ aim: { to: 'all' } }, { fresh }]
  return [{ aim: { to: 'pinned' } }, { fresh }, { aim: { to: 'split', split: { percent } } }]
}

/** Each has more new pods than the one before. */
const plans = fc
  .tuple(
    fc.subarray(
      Array.from({ length: SIZE - 1 }, (_, i) => i + 1),
      { minLength: 1 },
    ),
    fc.array(fc.option(fc.integer({ min: 0, max: 100 })), { minLength: SIZE, maxLength: SIZE }),
  )
  .map(([sizes, shares]) => sizes.map((fresh, i) => stagesOf(fresh, shares[i]!)))
const ends: Readonly<Record<string, readonly Stage[]>> = {
  back: [{ aim: { to: 'stable' } }, { fresh: 0 }, { aim: { to: 'all' } }],
  forward: [{ aim: { to: 'all' } }, { fresh: SIZE }, { aim: { to: 'all' } }],
}
const happen = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: fc.constant<Happening>('look') },
    { weight: 4, arbitrary: fc.constantFrom<Happening>('endpoints', 'gateway', 'ready') },
    { weight: 1, arbitrary: fc.constant<Happening>('owner') },
    {
      weight: 1,
      arbitrary: fc.constantFrom<Happening>('waits', 'answers', 'none', 'deleted', 'made', 'made'),
    },
  ),
  { maxLength: 100, size: 'max' },
)
const histories = fc.record({
  plan: plans,
  happen,
  /** Then it ends, wherever it is. */
  end: fc.constantFrom('back', 'forward'),
  after: happen,
})

/** The controller looks, and what it does then must be safe. */
function lookAt(world: RoutedWorld): void {
  const before = { share: world.share, fresh: world.uidsOf('new') }
  const { selector } = { ...world.service?.spec }
  const [stage] = world.plan
  const change = world.look()
  const leaving = before.fresh.filter(uid => !world.uidsOf('new').includes(uid))
  // Those of a neighbour answer for them.
  if (leaving.length > 0 && !world.shared) {
    expect(before.share, 'requests are sent to pods that leave').toBe(0)
  }
  const first = before.fresh.length === 0 && world.uidsOf('new').length > 0
  if (first && isRouted(world) && !world.oneService) {
    expect(selector, 'a new pod is found by the Service of the stable ones').toHaveProperty(
      'pod-template-hash',
    )
  }
  if (change && isSplit(change)) aimed(world, stage)
}

/** Requests were moved just now: for a release that has new pods which answer. */
function aimed(world: RoutedWorld, stage: Stage | undefined): void {
  if (world.neighbour === 'answers') return
  expect(stage, 'requests are moved for nobody').toMatchObject({ aim: { to: 'split' } })
  expect(answering(world), 'requests are sent where nobody answers').not.toEqual([])
}

/** New pods to which requests may be sent. */
function answering(world: RoutedWorld): readonly string[] {
  const { way, pods } = world
  const fresh = pods
    .filter(({ version, ready }) => version === 'new' && ready)
    .map(({ uid }) => uid)
  const service = way === 'two Services' ? 'web-canary' : 'web'
  return world.endpoints(service).filter(uid => fresh.includes(uid))
}

/** The steps to come send a share. */
function isRouted({ plan }: RoutedWorld): boolean {
  return plan.some((stage, i) => i < 2 && 'aim' in stage && stage.aim.to === 'split')
}

function isSplit(change: Change): boolean {
  if (change.type !== 'patch' || change.target.kind === 'Service') return false
  const { annotations } = change.patch['metadata'] as { annotations?: Record<string, string> }
  const { [TRAFFIC]: wish = OVER } = { ...annotations }
  return wish !== OVER
}

/** True of every moment. */
function lawful(world: RoutedWorld): void {
  const { spec } = world.service!
  expect(spec?.selector, 'a Service selects anybody').toHaveProperty('app')
  if (world.way === 'a TrafficRouting') {
    expect(world.service, 'a Service is touched').toEqual(ownService)
  }
  if (world.oneService) {
    expect(spec, 'the Service of both is touched').toEqual(ownService.spec)
    expect(world.canary).toBeUndefined()
  } else if (world.share > 0) {
    expect(world.canary, 'requests go to a Service that is gone').toBeDefined()
  }
}

const runs = Number(process.env['HISTORIES'] ?? 1000)

test.each<[string, Way]>([
  ['each version has a Service', 'two Services'],
  ['one Service has both', 'one Service'],
  ['a TrafficRouting is named', 'a TrafficRouting'],
])(
  'requests are safe at every moment, and as their owner wants them in the end: %s',
  (_, way) => {
    fc.assert(
      fc.property(histories, ({ plan, end, ...happens }) => {
        const world = new RoutedWorld(way)
        const tell = (each: Happening) => {
          happenings[each](world)
          lawful(world)
        }
        world.plan.push(...plan.flat())
        happens.happen.forEach(tell)
        world.plan.splice(0, world.plan.length, ...ends[end]!)
        happens.after.forEach(tell)
        tell('none')
        tell('made')
        const ownSpec = (world.ownRoute as typeof world.route).spec
        const isMoved = () => !equalJson(world.route.spec, ownSpec)
        for (let i = 0; i < 100 && (world.plan.length > 0 || isMoved()); i++) {
          const inOrder: readonly Happening[] = ['look', 'endpoints', 'gateway', 'ready']
          inOrder.forEach(tell)
        }
        expect(world.plan, 'it comes to an end').toEqual([])
        expect(world.service?.spec).toEqual(ownService.spec)
        expect(world.service?.metadata.annotations ?? {}).toEqual({})
        expect(world.route.spec).toEqual(ownSpec)
        expect(world.route.metadata.annotations ?? {}).toEqual({})
        expect(world.canary).toBeUndefined()
        world.now += 10_000
        expect(world.share).toBe(0)
      }),
      { numRuns: runs },
    )
  },
  600_000,
)
