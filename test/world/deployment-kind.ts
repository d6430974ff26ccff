// A Deployment in the simulated world: its controller scales ReplicaSets, which make and kill pods.

import type { Deployment, DeploymentSpec, RollingUpdate } from '#api/kubernetes.ts'
import { equalJson } from '#core/equal.ts'
import { deployment } from '#core/workload/deployment.ts'
import { scaleWorkload } from './api-server.ts'
import { syncDeployments } from './deployment-controller.ts'
import { syncReplicaSets } from './replica-set-controller.ts'
import { isReady, podsOf, replicasOf, setsIn, versionOf, workloadIn } from './world.ts'
import type { Workload, WorldKind } from './world.ts'

export const deploymentKind: WorldKind = {
  adapter: deployment,
  withDefaults: object => withDefaults(object as Deployment),
  problem: ({ spec }) => problemOf(spec),
  countsAnnotations: true,
  loosens: (object, before) => !equalJson(holdersOf(object), holdersOf(before)),
  size: world => replicasOf(workloadIn(world)!),
  resize(world, size) {
    scaleWorkload(world, workloadIn(world)!, size)
  },
  paused: (_, paused) => ({ paused }),
  sides: world =>
    setsIn(world).map(set => ({
      version: versionOf(set),
      replicas: replicasOf(set),
      ready: podsOf(world, set).filter(isReady),
    })),
  sync: syncDeployments,
  carryOut: syncReplicaSets,
  waitMs(world, { metadata }) {
    const [owner] = metadata.ownerReferences ?? []
    const { spec } = { ...world.sets.get(owner?.name ?? '') }
    return (spec?.minReadySeconds ?? 0) * 1000
  },
}

function withDefaults(object: Deployment): Deployment {
  const { spec } = object
  const type = spec.strategy?.type ?? 'RollingUpdate'
  const given = spec.strategy?.rollingUpdate
  const rolling = type === 'RollingUpdate' && {
    rollingUpdate: { maxUnavailable: '25%', maxSurge: '25%', ...given },
  }
  const filled = { replicas: 1, progressDeadlineSeconds: 600, revisionHistoryLimit: 10, ...spec }
  return { ...object, spec: { ...filled, strategy: { type, ...rolling } } }
}

function holdersOf({ spec }: Workload) {
  const {
    strategy,
    minReadySeconds = 0,
    progressDeadlineSeconds,
    paused = false,
  } = spec as DeploymentSpec
  return { strategy, minReadySeconds, progressDeadlineSeconds, paused }
}

function problemOf(spec: DeploymentSpec): string | undefined {
  const { strategy, minReadySeconds = 0, progressDeadlineSeconds = 600 } = spec
  if (progressDeadlineSeconds <= minReadySeconds) {
    return 'spec.progressDeadlineSeconds: must be greater than minReadySeconds'
  }
  return strategy?.rollingUpdate ? rollingProblem(strategy.rollingUpdate) : undefined
}

function rollingProblem({ maxUnavailable, maxSurge }: RollingUpdate): string | undefined {
  const values = [maxUnavailable, maxSurge].map(String)
  const odd = values.find(value => !/^\d+%?$/.test(value))
  if (odd !== undefined) return `spec.strategy: ${odd} is no amount`
  const [unavailable, surge] = values.map(value => Number.parseInt(value, 10))
  if (values[0]!.endsWith('%') && unavailable! > 100) {
    return `spec.strategy: maxUnavailable ${maxUnavailable} is more than 100%`
  }
  const none = unavailable === 0 && surge === 0
  return none ? 'spec.strategy: maxUnavailable may not be 0 when maxSurge is 0' : undefined
}
