// Pods that get Ready when a test says so: their image has `broken` in it, so the node never makes
// them Ready, and this does it in the node's place. So a release can stand still anywhere.

import type { Pod } from '#api/kubernetes.ts'
import { seePod } from '#core/workload/seen.ts'
import type { PodSeen } from '#core/workload/seen.ts'
import { Cache } from '#kube/cache.ts'
import type { KubeClient } from '#kube/client.ts'
import { NotFound } from '#kube/errors.ts'
import { Reflector } from '#kube/reflector.ts'
import { PODS } from '#kube/resources.ts'

/** Makes every pod of the namespace Ready that runs, from now on; gives what ends that. */
export function readyByHand(client: KubeClient, namespace: string): () => void {
  const end = new AbortController()
  const cache = new Cache<PodSeen & { readonly running: boolean }>()
  cache.onChange((_, pod) => {
    if (pod?.running && pod.readySince === undefined && !end.signal.aborted) {
      void makeReady(client, { namespace, name: pod.metadata.name })
    }
  })
  const project = (pod: Pod) => ({ ...seePod(pod), running: pod.status?.phase === 'Running' })
  void new Reflector({ client, namespace, type: PODS, cache, project }).run(end.signal)
  return () => end.abort()
}

/** Says that a pod is Ready; one that is gone by now needs nothing. */
export async function makeReady(
  client: KubeClient,
  ref: { readonly namespace: string; readonly name: string },
): Promise<void> {
  const lastTransitionTime = new Date().toISOString()
  const conditions = [{ type: 'Ready', status: 'True', lastTransitionTime }]
  try {
    await client.strategicPatch(PODS, ref, { status: { conditions } }, { subresource: 'status' })
  } catch (error) {
    if (!(error instanceof NotFound)) throw error
  }
}
