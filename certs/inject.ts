// Tells the API server whom to trust: keeps our CAs in the caBundle of our webhook configurations.
// A CA of ours that is there already stays until it expires (of many the newest), since another replica
// may still serve a certificate of it: so replicas that know different CAs never undo each other's. Nothing else is
// touched, and nothing is written that is right already.

import { Conflict, NotFound } from '#kube/errors.ts'
import { MUTATING_WEBHOOKS, VALIDATING_WEBHOOKS } from '#kube/resources.ts'
import type { JsonPatchOperation, KubeClient } from '#kube/client.ts'
import type { ResourceType, WebhookConfiguration } from '#kube/resources.ts'
import { beginning, certificatesIn, expiry, isOurAuthority } from './authority.ts'

/** `there`: nothing had to be written. `not registered`: there is no such configuration. */
export type Injection = 'written' | 'there' | 'not registered'

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

/** Puts the CAs into every webhook of the named configurations, each in one guarded write. */
export async function injectCaBundle(
  client: KubeClient,
  { mutating, validating, caBundle }: InjectionTarget,
): Promise<Injections> {
  const ours = certificatesIn(caBundle)
  const keep = (type: ResourceType<WebhookConfiguration>, name: string) =>
    inject({ client, type, name, ours })
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
  /** PEMs. */
  readonly ours: readonly string[]
}

const MAX_ROUNDS = 5
/**
 * A process that keeps its certificates in memory brings another CA at each start: in a crash loop they
 * would pile up until etcd takes no more. Who serves with one that was dropped puts it back.
 */
const MOST_KEPT = 8

async function inject(place: Place): Promise<Injection> {
  const { client, type, name, ours } = place
  for (let round = 1; ; round += 1) {
    try {
      const configuration = await client.get(type, { name })
      const operations = difference(configuration, ours)
      if (operations.length === 0) return 'there'
      await client.jsonPatch(type, { name }, [guard(configuration), ...operations])
      return 'written'
    } catch (error) {
      if (error instanceof NotFound) return 'not registered'
      // Positions in the list may have changed: they are computed again, from what is there now.
      if (!(error instanceof Conflict) || round === MAX_ROUNDS) throw error
    }
  }
}

function difference(
  configuration: WebhookConfiguration,
  ours: readonly string[],
): JsonPatchOperation[] {
  const webhooks = configuration.webhooks ?? []
  return webhooks.flatMap(({ clientConfig }, index) => {
    const text = Buffer.from(clientConfig.caBundle ?? '', 'base64').toString('utf8')
    const there = certificatesIn(text)
    if (ours.every(pem => there.includes(pem))) return []
    const kept = there
      .filter(pem => !ours.includes(pem) && isOurAuthority(pem) && isAlive(pem))
      .toSorted((a, b) => beginning(b) - beginning(a))
      .slice(0, MOST_KEPT)
    const value = Buffer.from([...ours, ...kept].join('')).toString('base64')
    return [{ op: 'add', path: `/webhooks/${index}/clientConfig/caBundle`, value } as const]
  })
}

function isAlive(pem: string): boolean {
  return Date.now() < expiry(pem)
}

// A `test` that fails is Invalid to the API server; a version that does not fit is a Conflict.
function guard(configuration: WebhookConfiguration): JsonPatchOperation {
  const value = configuration.metadata.resourceVersion
  return { op: 'replace', path: '/metadata/resourceVersion', value }
}
