// Somebody else's mutating webhook: a small HTTPS server that changes Deployments as such webhooks
// do, registered under a name that puts it before ours or behind, since API servers call by name.

import { createServer } from 'node:https'
import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { once } from 'node:events'

import type { Deployment, KubeObject } from '#api/kubernetes.ts'
import { createAuthority, issue } from '#certs/authority.ts'
import type { KubeClient } from '#kube/client.ts'
import { MUTATING_WEBHOOKS } from '#kube/resources.ts'

/** A container of a template, as far as these webhooks look at it. */
export interface Container {
  readonly name: string
  readonly image: string
}

/** Gives the containers that a template is to have; must be idempotent, as webhooks are. */
export type Mutation = (containers: readonly Container[]) => readonly Container[]

/** How a foreign webhook is registered. */
export interface ForeignWebhookOptions {
  readonly client: KubeClient
  /** Only Deployments with this label are shown to it. */
  readonly label: string
  /** `before`: it is called before Sluice; `behind`: after it. */
  readonly place: 'before' | 'behind'
  /** What it does; may be changed while it runs. */
  readonly mutation: { current: Mutation }
}

/** A foreign webhook that is registered. */
export interface ForeignWebhook {
  /** Takes the registration away, and ends the server. */
  readonly stop: () => Promise<void>
}

/** Starts it, and returns when it is registered; an API server may call it a moment later. */
export async function startForeignWebhook(options: ForeignWebhookOptions): Promise<ForeignWebhook> {
  const { client, label, place, mutation } = options
  const now = Date.now()
  const authority = await createAuthority({ now, days: 2 })
  const pair = await issue(authority, { dnsNames: [], ips: ['127.0.0.1'], now, days: 1 })
  const server = createServer({ cert: pair.cert, key: pair.key }, (request, response) => {
    void bodyOf(request).then(body => {
      const answer = review(JSON.parse(body) as Review, mutation.current)
      response.setHeader('content-type', 'application/json').end(JSON.stringify(answer))
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  // Ours is called sluice-dev.
  const name = `${place === 'before' ? 'a' : 'z'}-foreign-${label}`
  const caBundle = Buffer.from(authority.cert).toString('base64')
  const url = `https://127.0.0.1:${port}/mutate`
  await client.create(MUTATING_WEBHOOKS, registration(name, label, { url, caBundle }))
  return {
    async stop() {
      await client.remove(MUTATING_WEBHOOKS, { name })
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
}

/** Pins images to a digest that only their tag decides, as policy webhooks do. */
export const pinDigests: Mutation = containers =>
  containers.map(each => ({ ...each, image: pinned(each.image) }))

/** The image with the digest that `pinDigests` gives it. */
export function pinned(image: string): string {
  if (image.includes('@')) return image
  return `${image}@sha256:${Buffer.from(image).toString('hex').padEnd(64, '0').slice(0, 64)}`
}

/** Adds a container, or brings the one of that name to this image, as service meshes do. */
export function addSidecar(image: string): Mutation {
  return containers => {
    const known = containers.find(({ name }) => name === 'sidecar')
    if (known && tagOf(known.image) === image) return containers
    const others = containers.filter(each => each !== known)
    return [...others, { ...known, name: 'sidecar', image }]
  }
}

function tagOf(image: string): string {
  return image.split('@')[0]!
}

function registration(name: string, label: string, clientConfig: object): KubeObject {
  const rule = {
    apiGroups: ['apps'],
    apiVersions: ['v1'],
    resources: ['deployments'],
    operations: ['CREATE', 'UPDATE'],
  }
  const webhook = {
    name: 'deployments.foreign.example',
    clientConfig,
    rules: [rule],
    failurePolicy: 'Fail',
    reinvocationPolicy: 'IfNeeded',
    sideEffects: 'None',
    admissionReviewVersions: ['v1'],
    objectSelector: { matchExpressions: [{ key: label, operator: 'Exists' }] },
  }
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingWebhookConfiguration',
    metadata: { name },
    webhooks: [webhook],
  } as unknown as KubeObject
}

interface Review {
  readonly apiVersion: string
  readonly kind: string
  readonly request: { readonly uid: string; readonly object: Deployment }
}

function review({ apiVersion, kind, request }: Review, mutate: Mutation) {
  const containers = containersOf(request.object)
  const wanted = mutate(containers)
  const patch = [{ op: 'replace', path: '/spec/template/spec/containers', value: wanted }]
  const changed = JSON.stringify(wanted) !== JSON.stringify(containers) && {
    patchType: 'JSONPatch',
    patch: Buffer.from(JSON.stringify(patch)).toString('base64'),
  }
  return { apiVersion, kind, response: { uid: request.uid, allowed: true, ...changed } }
}

/** The containers of a Deployment's template. */
export function containersOf({ spec }: Deployment): readonly Container[] {
  return (spec.template.spec?.['containers'] ?? []) as readonly Container[]
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let body = ''
  for await (const chunk of request.setEncoding('utf8')) body += String(chunk)
  return body
}
