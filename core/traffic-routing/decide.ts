// Every decision about a TrafficRouting is made here: whether its routes are to be as it says, or as their
// owners wrote them, and what is told of it. Who needs it is computed from the Rollouts that name it, so that
// nothing of ours keeps it from being deleted.

import { OLDER_API_VERSION } from '#api/names.ts'
import type { RoutingReason } from '#api/names.ts'
import type { TrafficRouting, TrafficRoutingPhase } from '#api/trafficrouting.generated.ts'
import { wordsOf } from '../change.ts'
import { defined } from '../defined.ts'
import type { Move, RefusedWrite } from '../move.ts'
import type { WorkloadRef } from '../ref.ts'
import type { Instant } from '../time.ts'
import { GRACE_SECONDS } from '../traffic/model.ts'
import type { Traffic } from '../traffic/routed.ts'
import { gracePeriod } from '../traffic/service-moves.ts'
import { routesMove } from './moves.ts'
import type { RoutingAsked } from './parse.ts'
import type { RoutingUser } from './users.ts'

/** All that a decision about one looks at. */
export interface RoutingSnapshot {
  readonly now: Instant
  readonly ref: WorkloadRef
  /** Undefined: it is gone. */
  readonly object?: TrafficRouting
  /** What it asks for, or why it cannot be followed. */
  readonly asked?: RoutingAsked | { readonly refused: string }
  readonly users: readonly RoutingUser[]
  /** What it names; undefined where it cannot be followed. */
  readonly traffic?: Traffic
  /** Routes that are moved for it. */
  readonly moved?: Traffic
  /** Those among them that it does not name any more. */
  readonly strays?: Traffic
  /** Since when none is. */
  readonly home: Home
  /** The API server does not take what was written to move them. */
  readonly refusedWrite?: RefusedWrite
  /** The cluster does not have the kind. */
  readonly unserved?: true
  /** Why it is not known how it stands: then nothing is decided. */
  readonly unread?: string
}

/** Since when no route is moved. */
export interface Home {
  readonly since: Instant
  /** The last one was seen to come home then; else it is when somebody first looked. */
  readonly seen: boolean
}

/** What is told of it, and what is done. */
export interface RoutingDecision {
  readonly phase: TrafficRoutingPhase
  readonly reason: RoutingReason
  readonly message: string
  readonly move?: Move
  /** Look again then, if no event comes first. */
  readonly requeueAt?: Instant
}

/** How the TrafficRouting of a release stands, for whoever waits for it. */
export interface NamedRouting {
  /** Why it moves no request before somebody acts. */
  readonly trouble?: string
  /** Its routes are as it says. */
  readonly routed: boolean
  /** No route is moved for this release any more, or another one needs that. */
  readonly home: boolean
  /** Why its routes do not come home before somebody acts. */
  readonly stuck?: string
  /** A new pod is ready for the requests that it moves. */
  readonly answers: boolean
  /** What it waits for. */
  readonly why: string
}

/** What to do now. Pure: the same snapshot gives the same decision. */
export function decideRouting(s: RoutingSnapshot): RoutingDecision {
  const { object, asked } = s
  if (!isAlive(object)) {
    const left = leaving(s)
    return left ? { ...left, phase: 'Terminating' } : told('Terminating', 'Home', GONE)
  }
  if (!asked || 'refused' in asked) {
    const left = leaving(s)
    const phase = left ? 'Finalizing' : 'Initial'
    return { ...left, ...told(phase, 'Unsupported', asked?.refused ?? '') }
  }
  return s.users.some(({ answers }) => answers) ? routing(s, asked) : resting(s)
}

const GONE = 'TrafficRouting is Terminating'
const ROUTED = 'TrafficRouting is Progressing'
const HEALTHY = 'TrafficRouting is Healthy'

/** Its routes are to be as it says. */
function routing(s: RoutingSnapshot, { split }: RoutingAsked): RoutingDecision {
  const { object, strays, traffic, now } = s
  const stray = strays && routesMove(strays, ownerOf(s), { to: 'home' }, now)
  const move = stray ?? routesMove(traffic!, ownerOf(s), { to: 'routed', split }, now)
  if (!move) return told('Progressing', 'Routed', ROUTED)
  const decision = toldOf(s, move, 'Progressing')
  if (move.blocked && !isBegun(object)) return { ...decision, phase: 'Initial' }
  // Whoever waits for its routes to be home again must know before the first one leaves.
  const { move: _, ...announced } = decision
  return object!.status?.phase === 'Progressing' ? decision : announced
}

/** Nobody needs it, or nobody would answer. */
function resting(s: RoutingSnapshot): RoutingDecision {
  const { users, now } = s
  const left = leaving(s)
  if (left) return left
  const trouble = routesMove(s.traffic!, ownerOf(s), { to: 'there' }, now)
  if (trouble) return told('Initial', 'RequestsBlocked', trouble.why)
  if (users.length === 0) return told('Healthy', 'Home', HEALTHY)
  const who = users.map(({ rollout }) => rollout).join(', ')
  return told(
    'Healthy',
    'Waiting',
    `no new pod of Rollout ${who} is ready: requests stay where they are`,
  )
}

/** Undefined: nobody is sent to new pods by it, and no request is under way there. */
function leaving(s: RoutingSnapshot): RoutingDecision | undefined {
  return goingHome(s) ?? draining(s)
}

/** A restart begins the grace period anew: nobody has kept since when its routes are home. */
function draining(s: RoutingSnapshot): RoutingDecision | undefined {
  const { asked, object, home, now } = s
  if (!home.seen && isAlive(object) && !isBegun(object)) return undefined
  const named = asked && 'routing' in asked ? asked.routing : undefined
  const move = gracePeriod(home.since, named?.graceSeconds ?? GRACE_SECONDS, now)
  // A clock that was set back keeps nobody waiting.
  return move && now >= home.since ? toldOf(s, move, 'Finalizing') : undefined
}

/** Undefined: no route is moved for it. */
function goingHome(s: RoutingSnapshot): RoutingDecision | undefined {
  const move = s.moved && routesMove(s.moved, ownerOf(s), { to: 'home' }, s.now)
  if (move) return toldOf(s, move, 'Finalizing')
  // What belongs to one that is gone goes with it.
  return s.moved && s.object ? told('Finalizing', 'Moving', WAITING) : undefined
}

const NOT_SERVED = `the cluster does not serve ${OLDER_API_VERSION} TrafficRouting: install its CRD, see crds.install of the chart`
const WAITING = 'waiting for its routes to be as their owners wrote them'

function told(phase: TrafficRoutingPhase, reason: RoutingReason, message: string): RoutingDecision {
  return { phase, reason, message }
}

function toldOf(s: RoutingSnapshot, move: Move, phase: TrafficRoutingPhase): RoutingDecision {
  const refused = refusalOf(s, move)
  const stopped = move.blocked === true || refused !== undefined
  const { requeueAt, why } = move
  const words = told(phase, stopped ? 'RequestsBlocked' : 'Moving', refused ?? why)
  return { ...words, move, ...defined({ requeueAt }) }
}

function ownerOf({ object, ref }: RoutingSnapshot) {
  return object && { ref, uid: object.metadata.uid ?? '' }
}

/** Its routes may be moved, or requests may still be under way by what they said. */
function isBegun(object: TrafficRouting | undefined): boolean {
  const { phase } = { ...object?.status }
  return phase === 'Progressing' || phase === 'Finalizing'
}

function isAlive(object: TrafficRouting | undefined): object is TrafficRouting {
  return object !== undefined && object.metadata.deletionTimestamp === undefined
}

/** Why what is to be done is not done, where the API server does not take it. */
function refusalOf({ refusedWrite }: RoutingSnapshot, move: Move): string | undefined {
  const { write, why } = { ...refusedWrite }
  const refused = move.changes.some(change => wordsOf(change) === write)
  return refused ? `${move.why}: ${why}; it is tried again` : undefined
}

/** How it stands for a release that names it. */
export function namedRouting(s: RoutingSnapshot, self: string): NamedRouting {
  const { ref, object, users, unread } = s
  if (unread !== undefined) {
    const trouble = `TrafficRouting ${ref.name}: ${unread}`
    return { trouble, stuck: trouble, routed: false, home: false, answers: false, why: trouble }
  }
  const decision = decideRouting(s)
  const others = users.some(({ rollout, answers }) => rollout !== self && answers)
  return {
    ...defined({ trouble: troubleOf(s, decision), stuck: stuckOf(s) }),
    routed: decision.reason === 'Routed' && object?.status?.phase === 'Progressing',
    home: isHome(s) || (others && decision.phase === 'Progressing'),
    answers: users.some(({ answers }) => answers),
    why: whyOf(s, decision),
  }
}

/** What all who name it wait for, in one value: another one is news for them. */
export function newsOf(s: RoutingSnapshot): string {
  const answering = s.users.flatMap(({ rollout, answers }) => (answers ? [rollout] : []))
  // Beside two that answer a third one changes nothing for anybody.
  const who = answering.length > 1 ? 'several' : answering
  return JSON.stringify([namedRouting(s, ''), isHome(s), who])
}

/** It is gone, no route is moved for it, and no request is under way by what they said. */
export function isOver({ object }: RoutingSnapshot, { reason }: RoutingDecision): boolean {
  return object === undefined && reason === 'Home'
}

function isHome(s: RoutingSnapshot): boolean {
  return s.moved === undefined && !isBegun(s.object) && draining(s) === undefined
}

function stuckOf(s: RoutingSnapshot): string | undefined {
  const left = leaving(s)
  return left?.reason === 'RequestsBlocked' ? whyOf(s, left) : undefined
}

function whyOf({ ref }: RoutingSnapshot, { message }: RoutingDecision): string {
  return `TrafficRouting ${ref.name}: ${message}`
}

function troubleOf(
  { ref, object, unserved }: RoutingSnapshot,
  { reason, message }: RoutingDecision,
): string | undefined {
  const name = `TrafficRouting ${ref.name}`
  if (unserved) return `${name}: ${NOT_SERVED}`
  if (!object) return `${name} does not exist`
  if (object.metadata.deletionTimestamp !== undefined) return `${name} is being deleted`
  const stopped = reason === 'RequestsBlocked' || reason === 'Unsupported'
  return stopped ? `${name}: ${message}` : undefined
}
