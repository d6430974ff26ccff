// Ingresses: the split is an Ingress of ours beside the owner's. Nobody tells that it was taken over, so a
// grace period is waited for from the write on, whose time stands on it.

import type { Ingress } from '#api/kubernetes.ts'
import type { Move } from '../move.ts'
import { isScript } from '../script.ts'
import { seen } from '../seen.ts'
import type { Seen } from '../seen.ts'
import { instantOf } from '../time.ts'
import type { Instant } from '../time.ts'
import { answerTo } from './answer.ts'
import { newServiceOf } from './canary-service.ts'
import {
  DEFAULT_CLASS,
  annotationsIn,
  canaryIngressName,
  canaryIngressOf,
  ingressChange,
  ingressInput,
  leadsTo,
  routedSince,
} from './ingress.ts'
import { isMadeFor, seeMade } from './made.ts'
import type { MadeSeen } from './made.ts'
import { pared } from './pared.ts'
import { splitInWords } from './router.ts'
import type { RouteFound, Router, RouteUse, SplitAsked } from './router.ts'
import { atAnyTime, blocked, patched, targetOf } from './writes.ts'

/** What is kept of an Ingress. */
export interface IngressSeen extends Seen, MadeSeen {
  /** Its labels, annotations and spec. */
  readonly object: Ingress
  readonly routedSince: Instant
  readonly deleting: boolean
}

const apiVersion = 'networking.k8s.io/v1'
const kind = 'Ingress'

/** Ingresses. */
export const ingressRouter: Router<IngressSeen> = {
  apiVersion,
  kind,
  plural: 'ingresses',
  makes: canaryIngressName,
  scripted: true,

  refsIn({ ingress }) {
    const className = ingress?.classType || DEFAULT_CLASS
    return ingress ? [{ apiVersion, kind, name: ingress.name, className }] : []
  },

  see(object) {
    return {
      ...seen(object),
      ...seeMade(object),
      object: pared(object as Ingress),
      routedSince: instantOf(routedSince(object)),
      deleting: object.metadata.deletionTimestamp !== undefined,
    }
  },

  trouble({ ref, object, made, script }, { routing, owner }) {
    const name = `${kind} ${ref.name}`
    if (!object || object.deleting) return `${name} does not exist`
    if (!leadsTo(object.object, routing.service)) {
      return `no path of ${name} sends requests to Service ${routing.service}`
    }
    if (made && !isMadeFor(owner, routing.service, made)) {
      return `${kind} ${canaryIngressName(ref.name)} was not made for this workload: rename it, or delete it`
    }
    return isScript(script) ? undefined : script?.missing
  },

  split: splitOf,

  splitSeen({ ref, made }, { routing }, { now }) {
    const over = made!.routedSince + routing.graceSeconds * 1000
    if (now >= over) return undefined
    const ours = `${kind} ${canaryIngressName(ref.name)}`
    const why = `giving whoever routes by ${ours} ${routing.graceSeconds} s to take it over`
    return { changes: [], why, requeueAt: over }
  },

  off({ ref, made }, { owner, routing }, why) {
    if (!made || !isMadeFor(owner, routing.service, made)) return undefined
    if (made.deleting) {
      return { changes: [], why: `waiting for ${kind} ${canaryIngressName(ref.name)} to be gone` }
    }
    const target = targetOf(ingressRouter, made)
    return { changes: [{ type: 'delete', target, uid: made.metadata.uid }], why }
  },

  // The grace period is counted by the Service.
  offSeen: () => undefined,
}

function splitOf(
  { ref, object, made, script }: RouteFound<IngressSeen>,
  { routing, owner, answers }: RouteUse,
  { split, now }: SplitAsked,
): Move | undefined {
  const canary = newServiceOf(routing)
  const input = ingressInput(object!.object, canary, split)
  const answer = answerTo(answers, { script, input }, now)
  if ('wait' in answer) return answer.wait
  const annotations = annotationsIn(answer.returned)
  const name = `${kind} ${canaryIngressName(ref.name)}`
  if (!annotations) return blocked(`${answer.name} returns annotations that are no texts`)
  if (made?.deleting) return { changes: [], why: `waiting for ${name} to be gone` }
  const between = { service: routing.service, canary }
  const wanted = canaryIngressOf(object!.object, owner!, between, { annotations, now })
  const why = `${splitInWords(split)} to new pods by ${name}`
  if (!made) return { changes: [{ type: 'create', object: wanted }], why }
  const patch = ingressChange(made.object, wanted)
  if (!patch) return undefined
  const { spec } = wanted
  return atAnyTime({ changes: [patched(ingressRouter, made, patch)], why }, [annotations, spec])
}
