// Plays cert-manager, of which the product needs little: it issues the certificate that a Certificate asks
// for into a Secret, and tells whom to trust to whatever asks for it: webhook configurations, and
// definitions whose objects a webhook converts.

import type { KubeObject } from '#api/kubernetes.ts'
import { createAuthority, issue } from '#certs/authority.ts'
import type { KubeClient } from '#kube/client.ts'
import { NotFound } from '#kube/errors.ts'
import {
  CUSTOM_RESOURCES,
  MUTATING_WEBHOOKS,
  resource,
  SECRETS,
  VALIDATING_WEBHOOKS,
} from '#kube/resources.ts'
import type { ResourceType } from '#kube/resources.ts'
import { until } from '../../dev/until.ts'

const group = 'cert-manager.io'

interface Certificate extends KubeObject {
  readonly spec: { readonly secretName: string; readonly dnsNames: readonly string[] }
}

const certificates = resource<Certificate>(`${group}/v1`, 'certificates', 'Certificate')

/** Cert-manager, for one Certificate. */
export interface CertManager {
  /** Issues it, anew each time, by the same CA. */
  readonly issue: () => Promise<void>
}

/** Serves the kinds of cert-manager. */
export async function startCertManager(
  client: KubeClient,
  ref: { readonly namespace: string; readonly name: string },
): Promise<CertManager> {
  await serve(client, 'Certificate')
  await serve(client, 'Issuer')
  const authority = await createAuthority({ now: Date.now(), days: 365 })
  let issued = 0
  return {
    async issue() {
      issued += 1
      const { spec } = await client.get(certificates, ref)
      const names = { dnsNames: spec.dnsNames, ips: [] }
      const { cert, key } = await issue(authority, { ...names, now: Date.now(), days: 90 })
      const data = { 'tls.crt': base64(cert), 'tls.key': base64(key), 'ca.crt': '' }
      const metadata = { name: spec.secretName, namespace: ref.namespace }
      const secret = { apiVersion: 'v1', kind: 'Secret', metadata, type: 'kubernetes.io/tls', data }
      await client.apply(SECRETS, secret, { fieldManager: 'cert-manager', force: true })
      // Another text of the same CA: the API server leaves its connections for new ones.
      await inject(client, ref, `${authority.cert}# ${issued}\n`)
    },
  }
}

async function serve(client: KubeClient, kind: string): Promise<void> {
  const plural = `${kind.toLowerCase()}s`
  const openAPIV3Schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }
  const version = { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema } }
  const names = { kind, plural, listKind: `${kind}List`, singular: kind.toLowerCase() }
  await client.create(CUSTOM_RESOURCES, {
    apiVersion: CUSTOM_RESOURCES.apiVersion,
    kind: CUSTOM_RESOURCES.kind,
    metadata: { name: `${plural}.${group}` },
    spec: { group, scope: 'Namespaced', names, versions: [version] },
  } as KubeObject)
  await until(`${plural} are not served`, async () => {
    try {
      await client.listAll(resource(`${group}/v1`, plural, kind))
      return true
    } catch (error) {
      if (error instanceof NotFound) return false
      throw error
    }
  })
}

async function inject(
  client: KubeClient,
  { namespace, name }: { readonly namespace: string; readonly name: string },
  bundle: string,
): Promise<void> {
  const asks = ({ metadata }: KubeObject) =>
    metadata.annotations?.[`${group}/inject-ca-from`] === `${namespace}/${name}`
  const tell = (type: ResourceType, object: KubeObject, paths: readonly string[]) =>
    client.jsonPatch(
      type,
      { name: object.metadata.name },
      paths.map(path => ({ op: 'add', path: `${path}/caBundle`, value: base64(bundle) })),
    )
  for (const type of [MUTATING_WEBHOOKS, VALIDATING_WEBHOOKS]) {
    for (const object of (await client.listAll(type)).items.filter(asks)) {
      const { webhooks = [] } = object
      const paths = webhooks.map((_, index) => `/webhooks/${index}/clientConfig`)
      await tell(type, object, paths)
    }
  }
  for (const object of (await client.listAll(CUSTOM_RESOURCES)).items.filter(asks)) {
    await tell(CUSTOM_RESOURCES, object, ['/spec/conversion/webhook/clientConfig'])
  }
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64')
}
