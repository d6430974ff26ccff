// What is told of a Rollout whose workload nobody will look at: it is accepted, since its kind may come.

import type { WorkloadRef } from '#api/rollout.generated.ts'
import { isNative, isSameVersion } from '#core/ref.ts'
import type { KindRef } from '#core/ref.ts'
import { notRegistered, notServed } from '#core/rollout/unseen.ts'
import { adapterFor } from '#core/workload/registry.ts'
import type { KubeClient } from '#kube/client.ts'
import { findKind } from '#kube/discovery.ts'

/** Gives the warnings of a Rollout that names such a workload; none where it can be released. */
export type KindWarnings = (ref: WorkloadRef) => Promise<readonly string[]>

/** The API server waits for us in the meantime. */
const PATIENCE_MS = 1300

/** The API server is asked for kinds that a cluster may lack, and for no others. */
export function createKindWarnings(
  client: KubeClient,
  extraKinds: readonly KindRef[],
): KindWarnings {
  return async ({ apiVersion, kind }) => {
    const ref = { apiVersion, kind }
    if (isNative(ref)) return []
    const known = extraKinds.find(each => isSameVersion(each, ref))
    const found = await findKind(client, known ?? ref, { timeoutMs: PATIENCE_MS }).catch(
      () => 'secret' as const,
    )
    if (found === 'nowhere') return notServed(ref, extraKinds).sentences
    if (known || adapterFor(ref)) return []
    const plural = found === 'secret' ? undefined : found.name
    return notRegistered(ref, plural, extraKinds).sentences
  }
}
