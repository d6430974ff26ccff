// What is kept of an object that another one is made of.

import type { KubeObject } from '#api/kubernetes.ts'
import { defined } from '../defined.ts'
import { membersOf } from '../members.ts'

/** Without its status, and without what only tells who has written it: a cache holds many. */
export function pared<O extends KubeObject>(object: O): O {
  const { apiVersion, kind, metadata, spec } = object as O & { readonly spec?: unknown }
  const { namespace, name, labels, annotations } = metadata
  const { [APPLIED]: _, ...words } = membersOf(annotations)
  const kept = defined({ namespace, name, labels, annotations: annotations && words })
  return defined({ apiVersion, kind, metadata: kept, spec }) as unknown as O
}

const APPLIED = 'kubectl.kubernetes.io/last-applied-configuration'
