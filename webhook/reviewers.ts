// From a review to a decision of the core and back. Before a patch leaves, it is applied to the very
// object that came in, and the result must be the one that was meant: a bug must not reach etcd.

import jsonpatch from 'jsonpatch'

import type { KubeObject } from '#api/kubernetes.ts'
import { CONTROLLER_MANAGER, GROUP, OLDER_API_VERSION, PROBE, WORKLOAD_TYPE } from '#api/names.ts'
import type { Rollout } from '#api/rollout.generated.ts'
import { leftToKruise } from '#core/admission/kruise.ts'
import type { WorkloadReview } from '#core/admission/model.ts'
import { difference } from '#core/admission/patch.ts'
import type { PatchOperation } from '#core/admission/patch.ts'
import { blockedAtRest } from '#core/admission/requests.ts'
import { plainestHold, reviewWorkload } from '#core/admission/review.ts'
import type { Answer } from '#core/admission/review.ts'
import {
  rolloutWarnings,
  unguardedWarnings,
  unheardWarnings,
} from '#core/admission/rollout-warnings.ts'
import type { Named } from '#core/admission/rollout-warnings.ts'
import { reviewTraffic } from '#core/admission/traffic-review.ts'
import { validateRollout } from '#core/admission/validation.ts'
import { inOlderWords, unknownStyle } from '#core/conversion/words.ts'
import { defined } from '#core/defined.ts'
import { equalJson } from '#core/equal.ts'
import { formatProblems } from '#core/problem.ts'
import { isSameVersion, keyOf } from '#core/ref.ts'
import { workloadKey } from '#core/rollout/key.ts'
import type { Rollout as RolloutAsked } from '#core/rollout/model.ts'
import { firstOf, isAlive, rolloutOf } from '#core/rollout/parse.ts'
import { withoutSecond } from '#core/rollout/release-style.ts'
import type { WorkloadAdapter } from '#core/workload/adapter.ts'
import { holdOf } from '#core/workload/hold.ts'
import { recordOf } from '#core/workload/record.ts'
import type { TrafficProvider } from '#core/traffic/model.ts'
import { adapterFor, heldBy } from '#core/workload/registry.ts'
import type { Cache } from '#kube/cache.ts'
import { ApiError, Retryable } from '#kube/errors.ts'
import type { Lookup } from './lookup.ts'
import type { LookUpNamed } from './named.ts'
import type { AdmissionRequest, AdmissionResponse } from './review.ts'

/** What the reviewers know beside the request. */
export interface Known {
  /** Rollouts, with the index `workload`. */
  readonly rollouts: Cache<Rollout>
  /** Those are all; before, the API server is asked. */
  readonly allKnown: () => boolean
  /** The kinds that are released. */
  readonly adapters: readonly WorkloadAdapter[]
  readonly lookUpNamed: LookUpNamed
  /** Requests are moved in this installation. */
  readonly routes: boolean
  /** By objects of these kinds. */
  readonly providers: readonly TrafficProvider[]
  /** Asked for what the cache does not know. */
  readonly lookup: Lookup
  /** Kruise Rollouts is registered as well. */
  readonly kruiseRegistered: () => boolean
  /** Whether our controller may make Deployments. */
  readonly makeDeployments: boolean
  /** User name of our controller; undefined: its field manager alone tells its writes. */
  readonly controllerUser?: string
}

/** Answers a write to a workload. */
export async function admit(known: Known, request: AdmissionRequest): Promise<AdmissionResponse> {
  if (isProbe(request)) return marked
  const routed = admitTraffic(known, request)
  if (routed) return routed
  const rollout = await rolloutFor(known, request).catch(unreachable)
  if (rollout === 'unreachable') return unavailable
  const review = reviewOf(known, request, rollout)
  if (!review) return { allowed: true }
  const left = known.kruiseRegistered() ? leftToKruise(review) : undefined
  return responseOf(review, left ?? reviewWorkload(review))
}

/** Answers a write to a Service or a route; undefined for others. */
function admitTraffic(known: Known, request: AdmissionRequest): AdmissionResponse | undefined {
  const { object, oldObject, kind } = request
  const ref = { apiVersion: apiVersionOf(kind), kind: kind.kind }
  const provider = known.providers.find(each => isSameVersion(each, ref))
  if (!provider || !object) return undefined
  const before = oldObject ?? undefined
  const fromController = isFromController(known, request)
  const stored = reviewTraffic({ provider, object, fromController, ...defined({ before }) })
  return { allowed: true, patch: patchOf(object, stored) }
}

/** The controller asks whether the API server reaches us; nothing of it is stored. */
function isProbe({ kind, dryRun, object }: AdmissionRequest): boolean {
  return kind.kind === 'Lease' && dryRun && object?.metadata.labels?.[PROBE] !== undefined
}

const marked: AdmissionResponse = {
  allowed: true,
  patch: [{ op: 'add', path: '/metadata/annotations', value: { [PROBE]: 'reached' } }],
}

const unavailable: AdmissionResponse = {
  allowed: false,
  status: {
    code: 503,
    reason: 'ServiceUnavailable',
    message: 'sluice cannot read the Rollouts of this namespace now: try again',
  },
}

/** The API server's trouble is no bug of ours. */
function unreachable(error: unknown): 'unreachable' {
  if (error instanceof ApiError || error instanceof Retryable) return 'unreachable'
  throw error
}

/** Answers for a reviewer that threw: the plainest hold there is; a Rollout is refused. */
export function answerToBug(known: Known, request: AdmissionRequest): AdmissionResponse {
  if (request.kind.group === GROUP) {
    const message = 'sluice failed to check this Rollout, see the log of its webhook'
    return { allowed: false, status: { code: 500, reason: 'InternalError', message } }
  }
  const rollout = cachedRollout(known, request)
  if (!rollout && mayHaveOne(known, request)) return unavailable
  const review = reviewOf(known, request, rollout)
  return review ? responseOf(review, plainestHold(review)) : { allowed: true }
}

/** Answers a write to a Rollout. */
export async function validate(
  known: Known,
  request: AdmissionRequest,
): Promise<AdmissionResponse> {
  const object = request.object as Rollout | null
  const previous = request.oldObject as Rollout | null
  if (!object) {
    return { allowed: true, warnings: previous ? await endWarnings(known, previous) : [] }
  }
  // Its own webhook judges what it is to follow.
  if (known.kruiseRegistered()) return { allowed: true }
  const others = await othersThan(known, object).catch(unreachable)
  if (others === 'unreachable') return unavailable
  const older = isOlder(request)
  const problems = validateRollout(object, {
    others,
    older,
    routes: known.routes,
    ...(previous && { previous }),
  })
  const found = older ? [...unknownStyle(object), ...inOlderWords(problems)] : problems
  if (found.length > 0) {
    const message = formatProblems(found)
    return { allowed: false, status: { code: 422, reason: 'Invalid', message } }
  }
  return { allowed: true, warnings: await warningsOf(known, object, previous ?? undefined) }
}

/** What only warns refuses nobody, whatever stands in objects that were stored before, or are of other kinds. */
function told(words: () => readonly string[]): readonly string[] {
  try {
    return words()
  } catch {
    return []
  }
}

async function warningsOf(
  known: Known,
  object: Rollout,
  before: Rollout | undefined,
): Promise<readonly string[]> {
  const unheard = told(() => unheardWarnings(object, before))
  const asks = !before || !equalJson(before.spec, object.spec)
  const named = asks ? await lookUp(known, object) : undefined
  const unguarded = named ? told(() => unguardedWarnings(object, named, known.adapters)) : []
  const ending = before ? await endWarnings(known, before, object, named) : []
  return [...unheard, ...ending, ...unguarded]
}

/** Nothing is asked where the API server has waited for other answers. */
async function lookUp(known: Known, rollout: Rollout): Promise<Named> {
  const unknown: Named = {}
  return known.allKnown() ? known.lookUpNamed(rollout).catch(() => unknown) : unknown
}

/** Nothing goes out any more of a workload that went first. */
async function endWarnings(
  known: Known,
  before: Rollout,
  after?: Rollout,
  named?: Named,
): Promise<readonly string[]> {
  const warnings = told(() => rolloutWarnings(before, after))
  if (warnings.length === 0) return warnings
  const { workload } = named ?? (await lookUp(known, before))
  const gone = workload === 'missing' || workload?.metadata.deletionTimestamp !== undefined
  return gone ? [] : warnings
}

/** Those that may name the same workload, among others. */
async function othersThan(known: Known, rollout: Rollout): Promise<readonly Rollout[]> {
  if (known.allKnown()) return known.rollouts.list()
  return known.lookup(rollout.metadata.namespace ?? '', workloadKey(rollout))
}

/** Its sender speaks the older version of the API. */
function isOlder({ kind, writtenIn }: AdmissionRequest): boolean {
  return `${kind.group}/${writtenIn}` === OLDER_API_VERSION
}

/**
 * The Rollout of the workload. A label says that there is one, or the cache is not full: what it has not
 * heard of yet the API server is asked for, since an edit that is let through cannot be called back.
 */
async function rolloutFor(known: Known, request: AdmissionRequest): Promise<Rollout | undefined> {
  const cached = cachedRollout(known, request)
  if (cached || !mayHaveOne(known, request)) return cached
  return guardAmong(await known.lookup(request.namespace, workloadOf(request)), request)
}

/** Of a workload whose Rollout the cache does not know. */
function mayHaveOne({ allKnown }: Known, { oldObject }: AdmissionRequest): boolean {
  return !allKnown() || oldObject?.metadata.labels?.[WORKLOAD_TYPE] !== undefined
}

function cachedRollout({ rollouts }: Known, request: AdmissionRequest): Rollout | undefined {
  return guardAmong(rollouts.byIndex('workload', workloadOf(request)), request)
}

function guardAmong(
  named: readonly Rollout[],
  { oldObject }: AdmissionRequest,
): Rollout | undefined {
  const holder = oldObject ? recordOf(oldObject)?.rolloutUid : undefined
  return firstOf(named.filter(isAlive), holder)
}

function workloadOf({ kind, namespace, name }: AdmissionRequest): string {
  return keyOf({ apiVersion: apiVersionOf(kind), kind: kind.kind, namespace, name })
}

function apiVersionOf({ group, version }: AdmissionRequest['kind']): string {
  return group === '' ? version : `${group}/${version}`
}

function reviewOf(
  known: Known,
  request: AdmissionRequest,
  rollout: Rollout | undefined,
): WorkloadReview | undefined {
  const { object, oldObject, kind } = request
  const adapter = adapterFor({ apiVersion: apiVersionOf(kind), kind: kind.kind }, known.adapters)
  if (!adapter || !object) return undefined
  return defined({
    adapter: heldBy(adapter, holdOf(oldObject ?? object)),
    object: oldObject ? withStatus(object, oldObject) : object,
    before: oldObject ?? undefined,
    rollout: rollout && askedOf(known, rollout),
    blocked: rollout && blockedAtRest(rollout),
    fromController: isFromController(known, request),
  })
}

function isFromController(
  { controllerUser }: Known,
  { options, userInfo }: AdmissionRequest,
): boolean {
  const user = controllerUser === undefined || userInfo.username === controllerUser
  return options.fieldManager === CONTROLLER_MANAGER && user
}

function askedOf({ makeDeployments, routes }: Known, rollout: Rollout): RolloutAsked {
  const asked = rolloutOf(rollout, undefined, routes)
  return makeDeployments ? asked : withoutSecond(asked)
}

/** What a write of the whole object says of the status is not stored, but what was there. */
function withStatus(object: Stored, { status }: Stored): KubeObject {
  const { status: _, ...others } = object
  return { ...others, ...defined({ status }) }
}

/** Of the status some kinds tell how many pods there are to be. */
type Stored = KubeObject & { readonly status?: unknown }

function responseOf({ object }: WorkloadReview, answer: Answer): AdmissionResponse {
  const { outcome, warnings } = answer
  const patch = patchOf(object, answer.object)
  return { allowed: true, patch, warnings, held: outcome === 'held' }
}

function patchOf(object: KubeObject, stored: KubeObject): readonly PatchOperation[] {
  const patch = difference(object, stored)
  const result: unknown = jsonpatch.apply_patch(object, [...patch])
  if (!equalJson(result, stored)) {
    throw new Error(`the patch does not make ${object.kind} ${object.metadata.name} what was meant`)
  }
  return patch
}
