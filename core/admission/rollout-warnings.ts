// What a write to a Rollout means for a release that is running, and what of it says nothing.

import { ABORT, ROLLBACK_IN_BATCH, ROLLING_STYLE } from '#api/names.ts'
import type { ProgressingReason, StalledReason } from '#api/names.ts'
import type { KubeObject } from '#api/kubernetes.ts'
import type { Rollout, TrafficRouting } from '#api/rollout.generated.ts'
import { abortCommand, targetOf, undoneBy } from '../commands.ts'
import { equalJson } from '../equal.ts'
import { trafficRoutingOf } from '../rollout/named-routing.ts'
import { rolloutOf } from '../rollout/parse.ts'
import { firstRouted } from '../rollout/plan-steps.ts'
import { releaseIn } from '../rollout/release-status.ts'
import { strategyField, strategyOf, styleOf } from '../rollout/release-style.ts'
import { hasRoutes } from '../rollout/unsupported.ts'
import type { Unseen } from '../rollout/unseen.ts'
import { notHoldable, notMovable, notThere } from '../rollout/unguarded.ts'
import { subsetLabel } from '../traffic/registry.ts'
import { notByIngress, notBySubset, subsetRule } from '../traffic/told-apart.ts'
import type { WorkloadAdapter } from '../workload/adapter.ts'
import { holdOf } from '../workload/hold.ts'
import { adapterFor, inStyle } from '../workload/registry.ts'

/** Deleting or disabling a Rollout lets everybody go: that is said, and the way back from there. */
export function rolloutWarnings(before: Rollout, after?: Rollout): readonly string[] {
  if (before.status?.phase !== 'Progressing') return []
  const what = endOf(before, after)
  if (what === undefined) return abortUnheard(before, after!)
  const ref = { ...before.spec.workloadRef, namespace: before.metadata.namespace ?? '' }
  const { stableRevision } = { ...releaseIn(before.status) }
  const [when, which] = isAborted(before)
    ? ['after an abort', 'the aborted version']
    : ['during a release', 'the rest']
  // The Rollout is no way back any more once this is read.
  return [
    `${what} ${when}: ${which} of ${targetOf(ref)} is released now, by its own strategy`,
    undoneBy('to go back from there', ref, stableRevision),
  ]
}

/** What was there before the edit aborts nothing; whoever writes it once more may well mean it. */
function abortUnheard(before: Rollout, after: Rollout): readonly string[] {
  const { [ABORT]: value } = { ...after.metadata.annotations }
  const changed = [before, after].map(({ metadata, spec }) => [metadata.annotations, spec])
  if (value === undefined || !equalJson(...(changed as [unknown, unknown]))) return []
  if (isAborted(before) || isGoingBack(before)) return []
  const { namespace = '', name } = after.metadata
  const command = abortCommand({ namespace, name }, '$(date +%s)')
  return [
    `${ABORT} has this value since before the edit, and aborts nothing: write another one: ${command}`,
  ]
}

/** What a Rollout names, as far as it is known when it is written. */
export interface Named {
  /** Undefined: it is not known whether there is one. */
  readonly workload?: KubeObject | 'missing'
  /** Why nobody looks for it. */
  readonly unseen?: Unseen
  /** Why requests cannot be moved by its routes: of kinds that the cluster does not have, or that are not registered. */
  readonly unmovable?: string
}

/** What keeps it from its work; told where it asks for something, since it may come after its Rollout. */
export function unguardedWarnings(
  rollout: Rollout,
  { workload, unseen, unmovable }: Named,
  among: readonly WorkloadAdapter[],
): readonly string[] {
  const { metadata, spec } = rollout
  if (unseen) return unseen.sentences
  if (spec.disabled === true) return []
  const routes = unmovableWarnings(rollout, unmovable)
  if (workload === 'missing') return [notThere(spec.workloadRef), ...routes]
  const adapter = adapterFor(spec.workloadRef, among)
  // What its owner changes while it is held counts after the release.
  const free = workload && holdOf(workload) === undefined
  const because = free && adapter?.unholdable(adapter.ownerOfFree(workload), workload)
  const ref = { ...spec.workloadRef, namespace: metadata.namespace ?? '' }
  return because ? [notHoldable(ref, because)] : routes
}

/** A kind of routes may come with its CRD. */
function unmovableWarnings(rollout: Rollout, because: string | undefined): readonly string[] {
  const step = firstRouted(rolloutOf(rollout, undefined, true).steps)
  return because !== undefined && step !== undefined ? [notMovable(step, because)] : []
}

/** What a Rollout asks for and what is not done, or means nothing; told when it is new. */
export function unheardWarnings(object: Rollout, before?: Rollout): readonly string[] {
  const said = before ? unheard(before) : []
  return unheard(object).filter(line => !said.includes(line))
}

function unheard(object: Rollout): readonly string[] {
  const lines = [
    notInBatch(object),
    notBeside(object),
    notByService(object),
    ...pausesBelowZero(object),
  ]
  return lines.filter(line => line !== undefined)
}

/** The older version of the API asks for a second workload where it says nothing, so nobody may have meant it. */
function notBeside({ metadata, spec }: Rollout): string | undefined {
  const adapter = adapterFor(spec.workloadRef)
  const asked = spec.strategy.canary?.enableExtraWorkloadForCanary === true
  const older = metadata.annotations?.[ROLLING_STYLE] !== undefined
  if (!asked || older || !adapter || inStyle(adapter, 'canary')) return undefined
  return `spec.strategy.canary.enableExtraWorkloadForCanary says nothing for a ${adapter.kind}: its new pods take the place of old ones; only Deployments can have a second one`
}

function notByService(object: Rollout): string | undefined {
  const { spec } = object
  const { disableGenerateCanaryService, trafficRoutings: [item] = [] } = strategyOf(spec)
  if (disableGenerateCanaryService !== true) return undefined
  const why =
    item && hasRoutes(object)
      ? (notByIngress(item, 'remove the field') ?? notBySubset(item) ?? notByLabel(spec, item))
      : 'says nothing where no requests are routed'
  return why && `spec.strategy.${strategyField(spec)}.disableGenerateCanaryService ${why}`
}

/** Where no pod is in the subset, the mesh answers with 503 as well. */
function notByLabel(spec: Rollout['spec'], item: TrafficRouting): string | undefined {
  const rule = subsetRule(item)
  if (rule === undefined) return undefined
  const { key, value } = subsetLabel
  const { labels = {} } = { ...strategyOf(spec).patchPodTemplateMetadata }
  if (styleOf(spec) === 'canary' && labels[key] === value) return undefined
  return `needs the label ${key}: ${value} on new pods alone, by which DestinationRule ${rule} selects them: a second Deployment gets it by patchPodTemplateMetadata`
}

function pausesBelowZero({ spec }: Rollout): readonly string[] {
  const style = strategyField(spec)
  const { steps = [] } = strategyOf(spec)
  return steps.flatMap(({ pause }, index) => {
    const { duration = 0 } = { ...pause }
    if (duration >= 0) return []
    const field = `spec.strategy.${style}.steps[${index}].pause.duration`
    return [`${field} is below 0: the step is passed at once; write 0 for that, or seconds to wait`]
  })
}

function notInBatch(object: Rollout): string | undefined {
  const { metadata, spec } = object
  const value = metadata.annotations?.[ROLLBACK_IN_BATCH] ?? 'false'
  if (value === 'false') return undefined
  if (value !== 'true') {
    return `${ROLLBACK_IN_BATCH} counts only as "true": a rollback goes back at once`
  }
  if (hasRoutes(object) || trafficRoutingOf(object) !== undefined) {
    return `${ROLLBACK_IN_BATCH} says nothing where requests are routed: a rollback goes back at once`
  }
  const adapter = adapterFor(spec.workloadRef)
  if (!adapter || adapter.rollsBackInSteps) return undefined
  return `${ROLLBACK_IN_BATCH} says nothing for a ${adapter.kind}: a rollback goes back at once; only StatefulSets, CloneSets and kinds alike go back in steps`
}

function endOf(before: Rollout, after: Rollout | undefined): 'deleted' | 'disabled' | undefined {
  if (after === undefined || after.metadata.deletionTimestamp !== undefined) return 'deleted'
  return after.spec.disabled === true && before.spec.disabled !== true ? 'disabled' : undefined
}

function isAborted(rollout: Rollout): boolean {
  return isTold(rollout, 'Stalled', 'Aborted')
}

function isGoingBack(rollout: Rollout): boolean {
  return isTold(rollout, 'Progressing', 'Cancelling')
}

function isTold(
  { status }: Rollout,
  type: string,
  reason: StalledReason | ProgressingReason,
): boolean {
  const conditions = status?.conditions ?? []
  return conditions.some(each => each.type === type && each.reason === reason)
}
