// From a review to a decision of the core and back. Before a patch leaves, it is applied to the very
// object that came in, and the result must be the one that was meant: a bug must not reach etcd.

import jsonpatch from 'jsonpatch'

import { CONTROLLER_MANAGER } from '#api/names.ts'
import type { KubeObject } from '#api/kubernetes.ts'
import type { Rollout } from '#api/rollout.generated.ts'
import { difference } from '#core/admission/patch.ts'
import { formatProblems } from '#core/admission/problem.ts'
import { plainestHold, reviewWorkload } from '#core/admission/review.ts'
import type { Answer, WorkloadReview } from '#core/admission/review.ts'
import { rolloutWarnings } from '#core/admission/rollout-warnings.ts'
import { validateRollout } from '#core/admission/validation.ts'
import { equalJson } from '#core/equal.ts'
import { keyOf } from '#core/rollout/key.ts'
import { firstOf, rolloutOf } from '#core/rollout/parse.ts'
import { adapterFor } from '#core/workload/registry.ts'
import type { Cache } from '#kube/cache.ts'
import type { AdmissionRequest, AdmissionResponse } from './review.ts'

/** What the reviewers know beside the request. */
export interface Known {
  /** All Rollouts, with the index `workload`. */
  readonly rollouts: Cache<Rollout>
  /** User name of our controller; undefined: its field manager alone tells its writes. */
  readonly controllerUser?: string
}

/** Answers a write to a workload. */
export function admit(known: Known, request: AdmissionRequest): AdmissionResponse {
  const review = reviewOf(known, request)
  return review ? responseOf(review, reviewWorkload(review)) : { allowed: true }
}

/** Answers for `admit` when it threw: the plainest hold there is. */
export function admitPlainly(known: Known, request: AdmissionRequest): AdmissionResponse {
  const review = reviewOf(known, request)
  return review ? responseOf(review, plainestHold(review)) : { allowed: true }
}

/** Answers a write to a Rollout. */
export function validate({ rollouts }: Known, request: AdmissionRequest): AdmissionResponse {
  const object = request.object as Rollout | null
  const previous = request.oldObject as Rollout | null
  if (!object) return { allowed: true, warnings: previous ? rolloutWarnings(previous) : [] }
  const others = rollouts.list()
  const problems = validateRollout(object, { others, ...(previous && { previous }) })
  if (problems.length > 0) {
    const message = formatProblems(problems)
    return { allowed: false, status: { code: 422, reason: 'Invalid', message } }
  }
  return { allowed: true, warnings: previous ? rolloutWarnings(previous, object) : [] }
}

function reviewOf(
  { rollouts, controllerUser }: Known,
  request: AdmissionRequest,
): WorkloadReview | undefined {
  const { object, oldObject, kind, namespace, name } = request
  const apiVersion = kind.group === '' ? kind.version : `${kind.group}/${kind.version}`
  const adapter = adapterFor({ apiVersion, kind: kind.kind })
  if (!adapter || !object) return undefined
  const key = keyOf({ apiVersion, kind: kind.kind, namespace, name })
  const rollout = firstOf(rollouts.byIndex('workload', key))
  const manager = request.options.fieldManager === CONTROLLER_MANAGER
  const user = controllerUser === undefined || request.userInfo.username === controllerUser
  return {
    adapter,
    object,
    ...(oldObject && { before: oldObject }),
    ...(rollout && { rollout: rolloutOf(rollout) }),
    fromController: manager && user,
  }
}

function responseOf({ object }: WorkloadReview, answer: Answer): AdmissionResponse {
  const { outcome, warnings } = answer
  const patch = difference(object, answer.object)
  const result: unknown = jsonpatch.apply_patch(structuredClone(object), [...patch])
  if (!equalJson(result, withoutUndefined(answer.object))) {
    throw new Error(`the patch does not make ${object.kind} ${object.metadata.name} what was meant`)
  }
  return { allowed: true, patch, warnings, held: outcome === 'held' }
}

function withoutUndefined(object: KubeObject): unknown {
  return JSON.parse(JSON.stringify(object))
}
