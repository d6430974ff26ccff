// Tells the API server whom to trust: keeps the caBundle of our webhook configurations equal to
// ours. Nothing else in them is touched, and nothing is written that is right already.

import { Conflict, NotFound } from '#kube/errors.ts'
import { MUTATING_WEBHOOKS, VALIDATING_WEBHOOKS } from '#kube/resources.ts'
import type { JsonPatchOperation, KubeClient } from '#kube/client.ts'
import type { ResourceType, WebhookConfiguration } from '#kube/resources.ts'

/** `equal`: nothing had to be written. `not registered`: there is no such configuration. */
export type Injection = 'written' | 'equal' | 'not registered'

/** Names of the configurations to keep, and the CAs to put there (PEM). */
export interface InjectionTarget {
  readonly mutating?: string
  readonly validating?: string
  readonly caBundle: string
}

/** What became of each configuration that was named. */
export interface Injections {
  readonly mutating?: Injection
  readonly validating?: Injection
}

/** Puts the caBundle into every webhook of the named configurations, each in one guarded write. */
export async function injectCaBundle(
  client: KubeClient,
  { mutating, validating, caBundle }: InjectionTarget,
): Promise<Injections> {
  const encoded = Buffer.from(caBundle).toString('base64')
  const keep = (type: ResourceType<WebhookConfiguration>, name: string) =>
    inject({ client, type, name, encoded })
  return {
    ...(mutating === undefined ? {} : { mutating: await keep(MUTATING_WEBHOOKS, mutating) }),
    ...(validating === undefined
      ? {}
      : { validating: await keep(VALIDATING_WEBHOOKS, validating) }),
  }
}

interface Place {
  readonly client: KubeClient
  readonly type: ResourceType<WebhookConfiguration>
  readonly name: string
  readonly encoded: string
}

const MAX_ROUNDS = 5

async function inject(place: Place): Promise<Injection> {
  const { client, type, name, encoded } = place
  for (let round = 1; ; round += 1) {
    try {
      const configuration = await client.get(type, { name })
      const operations = difference(configuration, encoded)
      if (operations.length === 0) return 'equal'
      await client.jsonPatch(type, { name }, [guard(configuration), ...operations])
      return 'written'
    } catch (error) {
      if (error instanceof NotFound) return 'not registered'
      // Positions in the list may have changed: they are computed again, from what is there now.
      if (!(error instanceof Conflict) || round === MAX_ROUNDS) throw error
    }
  }
}

function difference(configuration: WebhookConfiguration, encoded: string): JsonPatchOperation[] {
  const webhooks = configuration.webhooks ?? []
  return webhooks.flatMap((webhook, index) =>
    webhook.clientConfig.caBundle === encoded
      ? []
      : [{ op: 'add', path: `/webhooks/${index}/clientConfig/caBundle`, value: encoded } as const],
  )
}

// A `test` that fails is Invalid to the API server; a version that does not fit is a Conflict.
function guard(configuration: WebhookConfiguration): JsonPatchOperation {
  const value = configuration.metadata.resourceVersion
  return { op: 'replace', path: '/metadata/resourceVersion', value }
}
