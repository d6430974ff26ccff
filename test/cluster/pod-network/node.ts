// Plays the node of the pods that have processes: those of an image with `served` in it, which kwok gives an
// address and never makes Ready.

import type { Pod } from '#api/kubernetes.ts'
import { Cache } from '#kube/cache.ts'
import type { Cached } from '#kube/cache.ts'
import type { KubeClient } from '#kube/client.ts'
import { Reflector } from '#kube/reflector.ts'
import { PODS } from '#kube/resources.ts'
import type { ResourceType } from '#kube/resources.ts'
import { makeReady } from '../ready-by-hand.ts'

/** A pod that has an address, as its node sees it. */
export interface NodePod extends Cached {
  readonly image: string
  readonly address: string
}

/** Begins and ends the process of a pod. */
export interface Processes {
  /** Fulfilled when the process is ready, and so the pod. */
  readonly begin: (pod: NodePod) => Promise<void>
  readonly end: (pod: NodePod) => void
}

/** What is read of a pod. */
interface RunningPod extends Pod {
  readonly spec: { readonly containers: readonly { readonly image: string }[] }
  readonly status?: Pod['status'] & { readonly podIP?: string }
}

/** Gives what ends it. */
export async function playNode(client: KubeClient, processes: Processes): Promise<() => void> {
  const cache = new Cache<NodePod>()
  cache.onChange((before, pod) => {
    const { address, image } = (pod ?? before)!
    if (address === '' || !image.includes('served')) return
    if (!pod) processes.end(before!)
    if (!pod || (before && before.address !== '')) return
    const { namespace = '', name } = pod.metadata
    processes
      .begin(pod)
      .then(() => makeReady(client, { namespace, name }))
      // It is not Ready then; whoever waits for that says so.
      .catch((error: unknown) => void process.stderr.write(`${name}: ${String(error)}\n`))
  })
  const ending = new AbortController()
  const type = PODS as ResourceType<RunningPod>
  void new Reflector({ client, type, cache, project: seeOnNode }).run(ending.signal)
  await cache.synced
  return () => ending.abort()
}

function seeOnNode({ metadata, spec, status }: RunningPod): NodePod {
  return { metadata, image: spec.containers[0]?.image ?? '', address: status?.podIP ?? '' }
}
