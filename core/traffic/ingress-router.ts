// Ingresses: the split is an Ingress of ours beside the owner's. Nobody tells that it was taken over, so a
// grace period is waited for from the write on, whose time stands on it.

import type { Ingress } from '#api/kubernetes.ts'
import { instantOf } from '../time.ts'
import type { Instant, Move } from '../rollout/model.ts'
import { controllerUid, seen } from '../workload/seen.ts'
import type { Seen } from '../workload/seen.ts'
import { canaryServiceName } from './canary-service.ts'
import {
  annotationsIn,
  canaryIngressName,
  canaryIngressOf,
  ingressChange,
  ingressInput,
  leadsTo,
  routedSince,
} from './ingress.ts'
import { splitInWords } from './router.ts'
import type { RouteFound, Router, RouteUse, SplitAsked } from './router.ts'
import { answerTo, isScript } from './script.ts'
import { blocked, patched, targetOf } from './writes.ts'

/** What is kept of an Ingress. */
export interface IngressSeen extends Seen {
  readonly object: Ingress
  /** The workload that it was made for, if it was. */
  readonly ownerUid: string
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

  see(object) {
    return {
      ...seen(object),
      object: object as Ingress,
      ownerUid: controllerUid(object),
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
    if (made && made.ownerUid !== owner?.uid) {
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

  off({ ref, made }, { owner }, why) {
    if (!made || made.ownerUid !== owner?.uid) return undefined
    if (made.deleting) {
      return { changes: [], why: `waiting for ${kind} ${canaryIngressName(ref.name)} to be gone` }
    }
    const target = targetOf(ingressRouter, made)
    return { changes: [{ type: 'delete', target, uid: made.metadata.uid }], why }
  },

  // The grace period is counted by the Service of the new pods.
  offSeen: () => undefined,
}

function splitOf(
  { ref, object, made, script }: RouteFound<IngressSeen>,
  { routing, owner, answers }: RouteUse,
  { split, now }: SplitAsked,
): Move | undefined {
  const canary = canaryServiceName(routing.service)
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
  return patch && { changes: [patched(ingressRouter, made, patch)], why }
}
