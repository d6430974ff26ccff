// Whether Sluice is installed already: a second one would take the definition of Rollouts from it, and both
// would answer each edit.

import type { KubeClient } from '#kube/client.ts'
import { MUTATING_WEBHOOKS } from '#kube/resources.ts'
import { configuration } from './sluice.ts'

/** Throws one line that names the registration of another Sluice. */
export async function refuseInstalled(client: KubeClient): Promise<void> {
  const { items } = await client.listAll(MUTATING_WEBHOOKS)
  const other = items.find(
    ({ metadata, webhooks = [] }) =>
      metadata.name !== configuration && webhooks.some(({ name }) => name.endsWith('.sluice.dev')),
  )
  if (!other) return
  const found = `mutatingwebhookconfiguration ${other.metadata.name}`
  throw new Error(
    `Sluice is installed in this cluster (${found}): uninstall it, or take another cluster`,
  )
}
