// Random histories of the simulated world: people, machines and the machinery take turns in any order.

import fc from 'fast-check'
import { allKinds, catchUp, reconcile } from '../world/controller.ts'
import type { Turn } from '../world/controller.ts'
import * as people from '../world/people.ts'
import type { Happening, Steps } from '../world/people.ts'
import { killPod, makeReady } from '../world/replica-set-controller.ts'
import { rolloutIn, versionOf, workloadIn } from '../world/world.ts'
import type { Kind, World } from '../world/world.ts'
import { histories, plansWith, versions } from './happenings.ts'
import type { Happened as Words } from './happenings.ts'
import type { Subject } from './subject.ts'

/** One thing that happens. */
export type Happened = Words<ActName>

/** What a history begins with. */
export interface Start {
  readonly replicas: number
  readonly strategy: number
  readonly minReadySeconds: number
  readonly plan: number
}

/** The plans of the Rollout. */
export const plans = plansWith(20)

/** Called with each turn of the controller. */
export type OnTurn = (turn: Turn) => void

/** Where it happens, beside the world. */
interface Place {
  readonly subject: Subject
  readonly onTurn: OnTurn
}

type Act = (which: number, place: Place) => Happening

const look =
  (crash?: { readonly writes: number }): Act =>
  (_, { onTurn }) =>
  world => {
    onTurn(reconcile(world, crash))
  }

/** Each of them tells when it will; nobody owns both ReplicaSets and revisions. */
const watches: readonly Kind[] = ['workloads', 'sets', 'pods', 'rollouts']

function together(kind: Kind): readonly Kind[] {
  return kind === 'sets' ? ['sets', 'revisions'] : [kind]
}

/** Steps of the machinery. */
const machinery = {
  look: look(),
  // Its answer is lost: what it wrote is stored, and it does not know.
  lost: (which, place) => look({ writes: which % 6 })(which, place),
  crash: (which, place) => world => {
    look({ writes: which % 6 })(which, place)(world)
    people.restart(world)
  },
  learn: which => world => {
    // All of it, more often than not.
    const kind = watches[which % 12]
    catchUp(world, kind ? together(kind) : allKinds)
  },
  manager: () => world => world.kind.sync(world),
  sets: () => world => world.kind.carryOut(world),
  ready: which => world => makeReady(world, 1 + (which % 4)),
  pass: which => people.pass(which),
} satisfies Record<string, Act>

function isGuarded(world: World): boolean {
  const rollout = rolloutIn(world)
  const runs = world.kind.size(world) > 0
  return rollout !== undefined && rollout.spec.disabled !== true && runs && world.webhook
}

/** The plan is changed, in whichever style it is. */
function changed(steps: Steps): Happening {
  return world => {
    const { blueGreen, canary } = { ...rolloutIn(world)?.spec.strategy }
    people.plan(steps, { ...(blueGreen ?? canary) }, blueGreen ? 'blueGreen' : 'canary')(world)
  }
}

function ifNotBroken(happening: Happening): Happening {
  return world => {
    if (versionOf(workloadIn(world)!) !== 'broken') happening(world)
  }
}

function always(happening: Happening): Happening {
  return happening
}

/** What people and machines do. */
const intents = {
  // A version that a native rollout cannot finish is another story.
  edit: which => world => {
    const version = versions[which % (isGuarded(world) ? 4 : 3)]!
    people.edit(version)(world)
  },
  scale: which => (which % 14 === 0 ? ifNotBroken : always)(people.scale(which % 14)),
  approve: () => people.approve,
  jump: which => people.jump(1 + (which % 3)),
  plan: which => changed(plans[which % plans.length]!),
  freeze: which => people.freeze(which % 2 === 0),
  abort: which => (which % 2 === 0 ? people.abort(`because ${which}`) : people.unabort),
  pauseWorkload: which => (which % 2 === 0 ? people.pauseWorkload : people.resumeWorkload),
  undo: which => people.undo(versions[which % 3]!),
  strategy: (which, { subject }) => people.patch(subject.strategies[which % 3]!),
  disable: which => ifNotBroken(people.disable(which % 3 === 0)),
  deleteRollout: () => ifNotBroken(people.deleteRollout),
  kill: which => world => killPod(world, which),
  restart: () => people.restart,
} satisfies Record<string, Act>

/** Where it is asked for, a rollback is a release of its own. */
const waysBack = {
  backInSteps: which => people.backInSteps(which % 4 > 0),
} satisfies Record<string, Act>

/** The webhook does not answer for a while. */
const outages = {
  webhook: which => people.webhook(which % 2 === 1),
} satisfies Record<string, Act>

const acts = { ...machinery, ...intents, ...waysBack, ...outages }

/** The name of something that happens. */
export type ActName = keyof typeof acts

/** Lets it happen. */
export function run(world: World, [name, which]: Happened, place: Place): void {
  const act: Act = acts[name]
  act(which, place)(world)
}

const often: readonly ActName[] = ['learn', 'look', 'manager', 'sets', 'ready']
const sometimes: readonly ActName[] = ['edit', 'approve', 'scale', 'pass']

/** A history of things that happen; `seldom` of those that need not. */
export function historiesWith(seldom: readonly ActName[]): fc.Arbitrary<readonly Happened[]> {
  return histories({ often, sometimes, seldom }, 80)
}

/** What a history begins with; only the first few strategies. */
export function starts(strategiesMost: number): fc.Arbitrary<Start> {
  return fc.record({
    replicas: fc.integer({ min: 1, max: 12 }),
    strategy: fc.nat(strategiesMost - 1),
    minReadySeconds: fc.constantFrom(0, 0, 3),
    plan: fc.nat(plans.length - 1),
  })
}
