// Objects of routers that we do not know, as of a mesh: the split is what a script makes of one. Nobody tells
// that it was taken over, so a grace period is waited for from the write on, whose time is in the wish.

import type { KubeObject } from '#api/kubernetes.ts'
import { ORIGINAL } from '#api/names.ts'
import { defined } from '../defined.ts'
import type { Move } from '../move.ts'
import { isScript } from '../script.ts'
import { answerTo } from './answer.ts'
import type { Json, TrafficProvider } from './model.ts'
import {
  configIn,
  networkInput,
  networkWish,
  networkWishIn,
  wishedSince,
} from './network-object.ts'
import { namedIn, nameOfRoute, splitInWords } from './router.ts'
import type { RouteFound, Router, RouteUse, SplitAsked } from './router.ts'
import { look, movedForAnother } from './touched.ts'
import type { TouchedSeen } from './touched.ts'
import { OVER, whoseOf } from './wish.ts'
import { atAnyTime, blocked, isFree, notTwice, takenOut, wishing } from './writes.ts'

/** What is kept of one. */
export interface NetworkSeen extends TouchedSeen {
  /** As its owner wrote it. */
  readonly owner: Json
  /** Whose requests the wish splits. */
  readonly service?: string
  /** What Kruise Rollouts has left there. */
  readonly left: boolean
}

/** The router of such a kind; `onlyBeside`: it splits nothing itself. */
export function networkRouter(provider: TrafficProvider, onlyBeside?: string): Router<NetworkSeen> {
  const { apiVersion, kind, plural } = provider
  return {
    apiVersion,
    kind,
    plural,
    scripted: true,
    ...defined({ onlyBeside }),
    see: object => see(provider, object),

    refsIn: routing => namedIn(provider, routing),

    trouble({ ref, object, script }, { whose }) {
      const name = nameOfRoute(ref)
      if (!object || object.deleting) return `${name} does not exist`
      if (object.escaped) return takenOut(name)
      const other = movedForAnother(object, whose)
      if (other !== undefined) return notTwice(name, other)
      if (object.left) {
        return `${name} has the annotation ${ORIGINAL} of Kruise Rollouts: put back what it says, and take it off`
      }
      return isScript(script) ? undefined : script?.missing
    },

    split: (route, use, asked) => splitOf(provider, route, use, asked),

    splitSeen({ ref, object }, { routing }, { now }) {
      const over = wishedSince(object!.wish ?? '') + routing.graceSeconds * 1000
      if (now >= over) return undefined
      const why = `giving whoever routes by ${nameOfRoute(ref)} ${routing.graceSeconds} s to take it over`
      return { changes: [], why, requeueAt: over }
    },

    off({ object }, { whose }, why) {
      if (!object || isFree(object)) return undefined
      if (movedForAnother(object, whose) !== undefined) return undefined
      return wishing(provider, object, OVER, why)
    },

    // The grace period is counted by the Service.
    offSeen: () => undefined,
  }
}

function see(provider: TrafficProvider, object: KubeObject): NetworkSeen {
  const { said, ...seen } = look(provider, object)
  const { [ORIGINAL]: original } = { ...object.metadata.annotations }
  const ours = seen.wish !== undefined || !seen.projected
  const { service } = { ...networkWishIn(said) }
  const left = original !== undefined && !ours
  return { ...seen, left, ...(service !== undefined && { service }) }
}

function splitOf(
  provider: TrafficProvider,
  ...[{ ref, object, script }, { routing, owner: workload, answers }, { split, now }]: [
    RouteFound<NetworkSeen>,
    RouteUse,
    SplitAsked,
  ]
): Move | undefined {
  const { owner, wish: before } = object!
  const input = networkInput(owner, routing, split)
  const answer = answerTo(answers, { script, input }, now)
  if ('wait' in answer) return answer.wait
  const to = configIn(answer.returned)
  if (!to) return blocked(`${answer.name} returns no object with spec, labels and annotations`)
  const { service } = routing
  const said = { workload: whoseOf(workload!.ref), service, owner, to }
  const wish = networkWish(said, { before, now })
  const why = `${splitInWords(split)} to new pods by ${nameOfRoute(ref)}`
  const move = wishing(provider, object!, wish, why)
  return move && atAnyTime(move, said)
}
