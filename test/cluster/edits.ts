// Edits that never end while something is done to the webhook: each must be answered, and held. Every
// one is counted, so none can be lost unseen.

import { expect } from 'vitest'

import type { Deployment } from '#api/kubernetes.ts'
import { HOLD } from '#api/names.ts'
import type { KubeClient } from '#kube/client.ts'
import { DEPLOYMENTS } from '#kube/resources.ts'
import { WORKLOAD } from './manifests.ts'
import { eventually } from './eventually.ts'

/** A load of edits. */
export interface Edits {
  /** Every edit that was refused, or answered without a hold. */
  readonly trouble: readonly string[]
  readonly sent: () => number
  /** Edits whose answer carried a hold. */
  readonly held: () => number
  /** Waits until so many more edits have come and gone as to meet whatever there is to meet. */
  readonly goOn: (what: string) => Promise<void>
  readonly end: () => Promise<void>
}

/** Edits the workload of each namespace, one edit after the other, until told to end. */
export function startEdits(client: KubeClient, namespaces: readonly string[]): Edits {
  let edits = 0
  let held = 0
  let ending = false
  const trouble: string[] = []
  const edit = async (namespace: string) => {
    edits += 1
    const annotations = { edit: String(edits) }
    const patch = { spec: { template: { metadata: { annotations } } } }
    try {
      const answer: Deployment = await client.mergePatch(
        DEPLOYMENTS,
        { namespace, name: WORKLOAD },
        patch,
      )
      if (answer.metadata.annotations?.[HOLD]) held += 1
      else trouble.push(`edit ${annotations.edit}: not held`)
    } catch (error) {
      trouble.push(`edit ${annotations.edit}: ${String(error)}`)
    }
  }
  const loads = namespaces.map(async namespace => {
    while (!ending) await edit(namespace)
  })
  return {
    trouble,
    sent: () => edits,
    held: () => held,
    async goOn(what: string) {
      const wanted = edits + 3 * namespaces.length
      await eventually(() => expect(edits).toBeGreaterThan(wanted))
      expect(trouble, what).toEqual([])
    },
    async end() {
      ending = true
      await Promise.all(loads)
    },
  }
}
