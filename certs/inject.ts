// Tells the API server whom to trust: keeps our CAs in the caBundle of our webhook configurations, and of
// the definition whose objects we convert.
// A CA of ours that is there already stays until it expires (of many the newest), since another replica
// may still serve a certificate of it: so replicas that know different CAs never undo each other's. Nothing else is
// touched, and nothing is written that is right already.

import type { KubeObject } from '#api/kubernetes.ts'
import { Conflict, NotFound } from '#kube/errors.ts'
import { CUSTOM_RESOURCES, MUTATING_WEBHOOKS, VALIDATING_WEBHOOKS } from '#kube/resources.ts'
import type { JsonPatchOperation, KubeClient } from '#kube/client.ts'
import type {
  CalledWebhook,
  CustomResource,
  ResourceType,
  WebhookConfiguration,
} from '#kube/resources.ts'
import { beginning, certificatesIn, expiry, isOurAuthority } from './authority.ts'

/**
 * `there`: nothing had to be written. `not registered`: there is no such configuration. `not ours`: it says
 * that others are called, or nobody.
 */
export type Injection = 'written' | 'there' | 'not registered' | 'not ours'

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
    inject({ client, type, name, ours, calls: callsOfWebhooks })
  return {
    ...(mutating === undefined ? {} : { mutating: await keep(MUTATING_WEBHOOKS, mutating) }),
    ...(validating === undefined
      ? {}
      : { validating: await keep(VALIDATING_WEBHOOKS, validating) }),
  }
}

/** Which definition, and the names and addresses by which the API server calls us. */
export interface ConversionTarget {
  readonly definition: string
  readonly hosts: readonly string[]
  readonly caBundle: string
}

/**
 * Puts the CAs into the definition, in one guarded write, where it says that we convert its objects:
 * another's conversion is left alone.
 */
export function injectConversion(
  client: KubeClient,
  { definition, hosts, caBundle }: ConversionTarget,
): Promise<Injection> {
  const ours = certificatesIn(caBundle)
  const calls = ({ spec }: CustomResource) => {
    const { clientConfig } = spec.conversion?.webhook ?? {}
    if (!clientConfig || !hosts.includes(hostOf(clientConfig))) return []
    return [{ path: '/spec/conversion/webhook/clientConfig', clientConfig }]
  }
  return inject({ client, type: CUSTOM_RESOURCES, name: definition, ours, calls })
}

/** One place in an object that says whom the API server calls. */
interface Call {
  readonly path: string
  readonly clientConfig: CalledWebhook
}

interface Place<T extends KubeObject> {
  readonly client: KubeClient
  readonly type: ResourceType<T>
  readonly name: string
  /** PEMs. */
  readonly ours: readonly string[]
  /** Where the object says that we are called. */
  readonly calls: (object: T) => readonly Call[]
}

function callsOfWebhooks({ webhooks = [] }: WebhookConfiguration): readonly Call[] {
  return webhooks.map(({ clientConfig }, index) => ({
    path: `/webhooks/${index}/clientConfig`,
    clientConfig,
  }))
}

function hostOf({ url, service }: CalledWebhook): string {
  if (service) return `${service.name}.${service.namespace}.svc`
  return url === undefined || !URL.canParse(url)
    ? ''
    : new URL(url).hostname.replace(/^\[|\]$/g, '')
}

const MAX_ROUNDS = 5
/**
 * A process that keeps its certificates in memory brings another CA at each start: in a crash loop they
 * would pile up until etcd takes no more. Who serves with one that was dropped puts it back.
 */
const MOST_KEPT = 8

async function inject<T extends KubeObject>(place: Place<T>): Promise<Injection> {
  const { client, type, name, ours, calls } = place
  for (let round = 1; ; round += 1) {
    try {
      const object = await client.get(type, { name })
      const found = calls(object)
      if (found.length === 0) return 'not ours'
      const operations = difference(found, ours)
      if (operations.length === 0) return 'there'
      await client.jsonPatch(type, { name }, [guard(object), ...operations])
      return 'written'
    } catch (error) {
      if (error instanceof NotFound) return 'not registered'
      // Positions in the list may have changed: they are computed again, from what is there now.
      if (!(error instanceof Conflict) || round === MAX_ROUNDS) throw error
    }
  }
}

function difference(calls: readonly Call[], ours: readonly string[]): JsonPatchOperation[] {
  return calls.flatMap(({ path, clientConfig }) => {
    const text = Buffer.from(clientConfig.caBundle ?? '', 'base64').toString('utf8')
    const there = certificatesIn(text)
    if (ours.every(pem => there.includes(pem))) return []
    const kept = there
      .filter(pem => !ours.includes(pem) && isOurAuthority(pem) && isAlive(pem))
      .toSorted((a, b) => beginning(b) - beginning(a))
      .slice(0, MOST_KEPT)
    const value = Buffer.from([...ours, ...kept].join('')).toString('base64')
    return [{ op: 'add', path: `${path}/caBundle`, value } as const]
  })
}

function isAlive(pem: string): boolean {
  return Date.now() < expiry(pem)
}

// A `test` that fails is Invalid to the API server; a version that does not fit is a Conflict.
function guard({ metadata }: KubeObject): JsonPatchOperation {
  const value = metadata.resourceVersion
  return { op: 'replace', path: '/metadata/resourceVersion', value }
}
