// What is kept of every object while nobody looks.

import type { KubeObject } from '#api/kubernetes.ts'

/** Where an object is, and which version of it was seen. */
export interface Seen {
  readonly metadata: {
    readonly namespace: string
    readonly name: string
    readonly uid: string
    readonly resourceVersion: string
  }
}

/** Where an object is. */
export function seen({ metadata }: KubeObject): Seen {
  const { namespace = '', name, uid = '', resourceVersion = '' } = metadata
  return { metadata: { namespace, name, uid, resourceVersion } }
}

/** The uid of the owner that controls the object; empty where nobody does. */
export function controllerUid({ metadata }: KubeObject): string {
  return metadata.ownerReferences?.find(({ controller }) => controller)?.uid ?? ''
}
