// Istio's kinds of a test: their definitions, without schemas.

import type { KubeObject } from '#api/kubernetes.ts'
import type { KubeClient } from '#kube/client.ts'
import { NotFound } from '#kube/errors.ts'
import { CUSTOM_RESOURCES, resource } from '#kube/resources.ts'
import { until } from '../../dev/until.ts'

/** An object of the mesh. */
export interface MeshObject extends KubeObject {
  readonly spec?: Readonly<Record<string, unknown>>
}

/** VirtualServices. */
export const VIRTUAL_SERVICES = resource<MeshObject>(
  'networking.istio.io/v1',
  'virtualservices',
  'VirtualService',
)
/** DestinationRules. */
export const DESTINATION_RULES = resource<MeshObject>(
  'networking.istio.io/v1',
  'destinationrules',
  'DestinationRule',
)

const schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }

/** Of a router that nobody but its users knows. */
export const LANES = resource<MeshObject>('lanes.example.com/v1', 'lanes', 'Lane')

/** Serves all of them, in an older version as well. */
export async function serveMesh(client: KubeClient): Promise<void> {
  for (const type of [VIRTUAL_SERVICES, DESTINATION_RULES, LANES]) {
    const { apiVersion, plural, kind } = type
    const [group] = apiVersion.split('/')
    const names = { kind, plural, listKind: `${kind}List`, singular: kind.toLowerCase() }
    const versions = ['v1', 'v1beta1'].map(name => ({
      name,
      served: true,
      storage: name === 'v1',
      schema: { openAPIV3Schema: schema },
    }))
    const definition = {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: `${plural}.${group}` },
      spec: { group, scope: 'Namespaced', names, versions },
    }
    await client.apply(CUSTOM_RESOURCES, definition as KubeObject, { fieldManager: 'mesh' })
    await until(`${plural} are served`, () =>
      client.listAll(type, {}).then(
        () => true,
        (error: unknown) => {
          if (error instanceof NotFound) return false
          throw error
        },
      ),
    )
  }
}
