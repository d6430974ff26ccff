// What a gateway is told by its owner: of which class it is, and where it listens.

import type { KubeObject } from '#api/kubernetes.ts'
import type { KubeClient } from '#kube/client.ts'
import { resource } from '#kube/resources.ts'

/** The port of the gateway, and of its listeners. */
export const PORT = 8000

const apiVersion = 'gateway.networking.k8s.io/v1'
const CLASSES = resource(apiVersion, 'gatewayclasses', 'GatewayClass', false)
const GATEWAYS = resource(apiVersion, 'gateways', 'Gateway')
const className = 'data-plane'
const gatewayClass: KubeObject & { readonly spec: object } = {
  apiVersion,
  kind: CLASSES.kind,
  metadata: { name: className },
  spec: { controllerName: 'traefik.io/gateway-controller' },
}

/** The class of all of them. */
export async function createClass(client: KubeClient): Promise<void> {
  await client.create(CLASSES, gatewayClass)
}

/** A Gateway for the routes of a namespace; requests come to it by that host. */
export async function openGateway(
  client: KubeClient,
  namespace: string,
  host: string,
): Promise<void> {
  const listener = {
    name: 'web',
    protocol: 'HTTP',
    port: PORT,
    hostname: host,
    allowedRoutes: { namespaces: { from: 'Same' } },
  }
  await client.create(GATEWAYS, {
    apiVersion,
    kind: GATEWAYS.kind,
    metadata: { namespace, name: 'gate' },
    spec: { gatewayClassName: className, listeners: [listener] },
  } as KubeObject)
}
