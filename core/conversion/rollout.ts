// A Rollout in the other version of the API. The two say the same in other words: `weight` and `traffic`,
// an annotation and a field. The older one has the fields of the newer, so a write through it loses
// nothing that others wrote; what is lost is `spec.rolloutID`, which nobody reads.

import { API_VERSION, OLDER_API_VERSION, ROLLING_STYLE, TRAFFIC_ROUTING } from '#api/names.ts'
import type { KubeObject, ObjectMeta } from '#api/kubernetes.ts'
import type {
  CanaryStrategy,
  CanaryStrategyV1alpha1,
  Rollout,
  RolloutStatus,
  RolloutStatusV1alpha1,
  RolloutV1alpha1,
  Step,
  StepV1alpha1,
} from '#api/rollout.generated.ts'
import { defined } from '../defined.ts'
import type { Problem } from '../problem.ts'
import { parseIntOrPercent } from '../replicas.ts'
import { misshapen } from './shape.ts'

/** An object in the version that was wanted, or why there is none. */
export type Conversion = { readonly object: object } | { readonly problems: readonly Problem[] }

/** The Rollout in the wanted version: itself where it is in that already. */
export function convertRollout(object: object, wanted: string): Conversion {
  const { apiVersion, kind } = object as Partial<KubeObject>
  if (kind !== 'Rollout') return refused('kind', `expected Rollout, got ${JSON.stringify(kind)}`)
  const known = [API_VERSION, OLDER_API_VERSION]
  for (const version of [apiVersion, wanted]) {
    if (version === undefined || !known.includes(version)) {
      const message = `expected ${known.join(' or ')}, got ${JSON.stringify(version)}`
      return refused('apiVersion', message)
    }
  }
  if (apiVersion === wanted) return { object }
  const older = apiVersion === OLDER_API_VERSION
  const problems = misshapen(object, older ? 'v1alpha1' : 'v1beta1')
  if (problems.length > 0) return { problems }
  return { object: older ? newerOf(object as RolloutV1alpha1) : olderOf(object as Rollout) }
}

function refused(field: string, message: string): Conversion {
  return { problems: [{ field, message }] }
}

function newerOf(object: RolloutV1alpha1): Rollout {
  const { spec, status, ...rest } = object
  const { objectRef, strategy, rolloutID: _, ...kept } = spec
  const { canary, ...others } = strategy
  const newer = canary ? newerCanary(canary, object.metadata) : undefined
  return defined({
    ...rest,
    apiVersion: API_VERSION as typeof API_VERSION,
    spec: {
      workloadRef: objectRef.workloadRef,
      ...kept,
      strategy: defined({ ...others, canary: newer }),
    },
    status: status ? newerStatus(status) : undefined,
  })
}

function newerCanary(
  { steps, ...kept }: CanaryStrategyV1alpha1,
  { annotations }: ObjectMeta,
): CanaryStrategy {
  return defined({
    ...kept,
    steps: steps?.map(newerStep),
    enableExtraWorkloadForCanary: styleIn(annotations) === 'canary' ? true : undefined,
    trafficRoutingRef: annotations?.[TRAFFIC_ROUTING] || undefined,
  })
}

function newerStep({ weight, replicas, ...kept }: StepV1alpha1): Step {
  const share = typeof weight === 'number' ? `${weight}%` : undefined
  return defined({ ...kept, replicas: replicas ?? share, traffic: share })
}

/** What `kubectl get` shows is a copy in the newer version. */
function newerStatus(status: RolloutStatusV1alpha1): RolloutStatus {
  const { currentStepIndex, currentStepState } = {
    ...status.blueGreenStatus,
    ...status.canaryStatus,
  }
  return {
    currentStepIndex: currentStepIndex ?? 0,
    currentStepState: currentStepState ?? '',
    ...status,
  }
}

function olderOf(object: Rollout): RolloutV1alpha1 {
  const { spec, status, metadata, ...rest } = object
  const { workloadRef, strategy, ...kept } = spec
  const { canary, ...others } = strategy
  return defined({
    ...rest,
    apiVersion: OLDER_API_VERSION as typeof OLDER_API_VERSION,
    metadata: canary ? withStyle(metadata, canary) : metadata,
    spec: {
      objectRef: { workloadRef },
      ...kept,
      strategy: defined({ ...others, canary: canary ? olderCanary(canary) : undefined }),
    },
    status: status ? olderStatus(status) : undefined,
  })
}

function olderCanary(canary: CanaryStrategy): CanaryStrategyV1alpha1 {
  const { steps, enableExtraWorkloadForCanary: _, trafficRoutingRef: __, ...kept } = canary
  return defined({ ...kept, steps: steps?.map(olderStep) })
}

function olderStep({ traffic, ...kept }: Step): StepV1alpha1 {
  if (typeof traffic !== 'string') return kept
  const amount = parseIntOrPercent(traffic)
  return { ...kept, weight: amount?.unit === 'percent' ? amount.value : 0 }
}

function olderStatus(status: RolloutStatus): RolloutStatusV1alpha1 {
  const { currentStepIndex: _, currentStepState: __, ...kept } = status
  return kept
}

/** How the older version says what the newer one has fields for. */
function withStyle(metadata: ObjectMeta, canary: CanaryStrategy): ObjectMeta {
  const { annotations } = metadata
  const style = canary.enableExtraWorkloadForCanary ? 'canary' : 'partition'
  const told = wordOf(annotations) === style
  const added = {
    // As the owner wrote it, capitals and all: a GitOps tool would see another value as a change.
    ...(!told && { [ROLLING_STYLE]: style }),
    ...(canary.trafficRoutingRef && { [TRAFFIC_ROUTING]: canary.trafficRoutingRef }),
  }
  return { ...metadata, annotations: { ...annotations, ...added } }
}

/** The style that the older version means: everything but `partition` is a second Deployment. */
function styleIn(annotations: ObjectMeta['annotations']): 'partition' | 'canary' {
  return wordOf(annotations) === 'partition' ? 'partition' : 'canary'
}

function wordOf(annotations: ObjectMeta['annotations']): string {
  // What is not stored yet has been checked by nobody.
  const style: unknown = annotations?.[ROLLING_STYLE]
  return typeof style === 'string' ? style.toLowerCase() : ''
}
