// The versions of a workload that owns its pods itself, as if each had a ReplicaSet: then the laws that
// count ReplicaSets hold for it as well.

import { ordinalOf } from '../properties/owner-rows.ts'
import type { PodFacts, ReplicaSetFacts, State } from './chronicle-facts.ts'

/** The state with a set for each version, where no ReplicaSets are. */
export function ownSets(state: State): State {
  const { workload, pods } = state
  if (!workload?.owns) return state
  const { owns, replicas } = workload
  const stays = ({ metadata }: PodFacts) => owns === 'pods' || ordinalOf(metadata.name) < replicas
  const staying = pods.filter(pod => !pod.terminating && stays(pod))
  const sets = Map.groupBy(staying, ({ image }) => image)
  return { ...state, sets: [...sets].map(([image, own]) => setOf(image, own)) }
}

function setOf(image: string, pods: readonly PodFacts[]): ReplicaSetFacts {
  return {
    kind: 'set',
    metadata: { name: image, uid: image },
    image,
    replicas: pods.length,
    desired: undefined,
    minReadySeconds: 0,
    readyReplicas: pods.filter(({ ready }) => ready).length,
    observed: true,
  }
}
