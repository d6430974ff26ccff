// A Rollout for a Deployment that has none, with the reasons: how many pods there are and may be, what
// the strategy promises, and whether Ready says something.

import { API_VERSION } from '#api/names.ts'
import type { Deployment, IntOrPercent } from '#api/kubernetes.ts'
import type { Rollout } from '#api/rollout.generated.ts'
import { parseIntOrPercent, podCount } from '#core/replicas.ts'
import { ownAmounts, ownerOfFree, unholdable } from '#core/workload/deployment-fields.ts'
import { promised } from '#core/workload/percent.ts'
import type { DisruptionBudget, PodAutoscaler } from '#kube/resources.ts'
import { selects } from './selector.ts'

/** A Deployment, and what stands beside it in its namespace. */
export interface Scene {
  readonly deployment: Deployment
  readonly autoscalers: readonly PodAutoscaler[]
  readonly budgets: readonly DisruptionBudget[]
  /** Names of Rollouts that are there. */
  readonly taken: ReadonlySet<string>
}

/** A Rollout, and why it is as it is. */
export interface Proposal {
  readonly rollout: Rollout
  readonly reasons: readonly string[]
  /** What each step does, in their order. */
  readonly steps: readonly string[]
}

/** Long enough for errors to show in graphs, short enough to be let run. */
const WATCH_SECONDS = 300

/** Proposes a Rollout. */
export function propose(scene: Scene): Proposal {
  const { deployment, taken } = scene
  const { name, namespace = '' } = deployment.metadata
  const size = sizeOf(scene)
  const probed = hasReadinessProbe(deployment)
  const stops = stopsFor(size)
  const steps = stops.map((replicas, index) => {
    const timed = probed && index > 0 && index < stops.length - 1
    return { replicas, ...(timed && { pause: { duration: WATCH_SECONDS } }) }
  })
  return {
    rollout: {
      apiVersion: API_VERSION,
      kind: 'Rollout',
      metadata: { name: taken.has(name) ? `${name}-rollout` : name, namespace },
      spec: {
        workloadRef: { apiVersion: 'apps/v1', kind: 'Deployment', name },
        strategy: { canary: { steps } },
      },
    },
    reasons: [
      sizeInWords(scene, size),
      strategyInWords(deployment, size.pods),
      ...budgetsInWords(scene, size.pods),
      probeInWords(deployment, probed),
    ],
    steps: stops.map((stop, index) => {
      if (index === stops.length - 1) return "the rest, by the Deployment's own strategy"
      const pause = steps[index]!.pause ? `goes on after ${WATCH_SECONDS} s` : 'waits for approval'
      return `${podCount(stop, size.pods)} of ${size.pods} pods, then ${pause}`
    }),
  }
}

interface Size {
  /** Now; or as many as will come, where nobody runs now. */
  readonly pods: number
  readonly autoscaler?: PodAutoscaler
}

function sizeOf({ deployment, autoscalers }: Scene): Size {
  const { name } = deployment.metadata
  const autoscaler = autoscalers.find(({ spec: { scaleTargetRef: target } }) => {
    return target.kind === 'Deployment' && target.name === name
  })
  const least = autoscaler?.spec.minReplicas ?? 1
  const pods = (deployment.spec.replicas ?? 1) || least
  return { pods, ...(autoscaler && { autoscaler }) }
}

/** Few pods first, then half; a number where nobody changes the size, else percents. */
function stopsFor({ pods, autoscaler }: Size): readonly IntOrPercent[] {
  if (pods < 4) return [autoscaler ? '30%' : 1, '100%']
  if (pods < 10) return [autoscaler ? '20%' : 1, '50%', '100%']
  return pods < 50 ? ['10%', '50%', '100%'] : ['2%', '10%', '50%', '100%']
}

function sizeInWords({ deployment }: Scene, { pods, autoscaler }: Size): string {
  const now = deployment.spec.replicas === 0 ? `no pod runs now, ${pods} may come` : `${pods} pods`
  if (!autoscaler) return pods === 1 ? 'one pod: a step can only replace it whole' : now
  const { minReplicas = 1, maxReplicas } = autoscaler.spec
  const range = `${minReplicas} to ${maxReplicas} by autoscaler ${autoscaler.metadata.name}`
  return `${now}, ${range}: the steps are percents, so their shares stay when it scales`
}

function strategyInWords(deployment: Deployment, pods: number): string {
  const owner = ownerOfFree(deployment)
  const why = unholdable(owner)
  if (why !== undefined) return `it cannot be held: ${why}; set RollingUpdate`
  const { maxUnavailable, maxSurge } = ownAmounts(owner)
  const own = promised(maxUnavailable, maxSurge, pods)
  const amounts = `maxUnavailable ${maxUnavailable}, maxSurge ${maxSurge}`
  return `its own ${amounts} hold in every step: at least ${pods - own.maxUnavailable} of ${pods} pods Ready, at most ${pods + own.maxSurge} there`
}

function budgetsInWords({ deployment, budgets }: Scene, pods: number): readonly string[] {
  const labels = deployment.spec.template.metadata?.labels ?? {}
  const { maxUnavailable, maxSurge } = ownAmounts(ownerOfFree(deployment))
  const away = promised(maxUnavailable, maxSurge, pods).maxUnavailable
  const meant = budgets.filter(({ spec }) => spec.selector && selects(spec.selector, labels))
  return meant.map(({ metadata, spec }) => {
    const allowed = awayBy(spec, pods)
    const name = `disruption budget ${metadata.name}`
    if (allowed >= away) return `${name} lets ${allowed} be away for evictions: no less than that`
    return `${name} lets only ${allowed} be away, which binds evictions and no release: the strategy lets ${away} be; set maxUnavailable to ${allowed} if that is meant`
  })
}

/** How many pods a budget lets be away; it rounds up. */
function awayBy({ minAvailable, maxUnavailable }: DisruptionBudget['spec'], pods: number): number {
  const count = (value: IntOrPercent) => {
    const amount = parseIntOrPercent(value)
    if (!amount) return 0
    return amount.unit === 'pods' ? amount.value : Math.ceil((amount.value * pods) / 100)
  }
  if (maxUnavailable !== undefined) return Math.min(count(maxUnavailable), pods)
  return Math.max(pods - count(minAvailable ?? 1), 0)
}

function hasReadinessProbe({ spec }: Deployment): boolean {
  const containers = spec.template.spec?.['containers'] as readonly object[] | undefined
  return containers?.some(container => Object.hasOwn(container, 'readinessProbe')) ?? false
}

function probeInWords({ spec }: Deployment, probed: boolean): string {
  if (!probed) {
    return 'no readinessProbe: a pod is Ready as soon as it runs, so every step waits for approval'
  }
  const { minReadySeconds = 0 } = spec
  const settled = minReadySeconds > 0 ? `after ${minReadySeconds} s of being Ready` : 'once Ready'
  return `its readinessProbe says when a new pod serves; it counts ${settled} (minReadySeconds)`
}
