// What a process needs to be allowed, one right each, and the question to the API server whether it is.

import type { KubeObject } from '#api/kubernetes.ts'
import type { KubeClient } from '#kube/client.ts'
import { resource } from '#kube/resources.ts'

/** One verb on one resource. */
export interface Right {
  /** Empty for the core group. */
  readonly group: string
  /** The plural, with its subresource: `rollouts/status`. */
  readonly resource: string
  readonly verb: string
  /** Undefined: in all of them, or of a resource that has none. */
  readonly namespace?: string
  /** Undefined: all objects. */
  readonly name?: string
}

/** Several rights, as the rule of a role says them. */
export interface Rule {
  readonly group: string
  readonly resources: readonly string[]
  readonly verbs: readonly string[]
  readonly name?: string
}

/** Each right of the rules by itself, in each of the namespaces; none: everywhere. */
export function rightsOf(
  rules: readonly Rule[],
  namespaces: readonly string[] = [],
): readonly Right[] {
  const places = namespaces.length === 0 ? [{}] : namespaces.map(namespace => ({ namespace }))
  return rules.flatMap(({ group, resources, verbs, name }) =>
    resources.flatMap(each =>
      verbs.flatMap(verb =>
        places.map(place => ({
          group,
          resource: each,
          verb,
          ...place,
          ...(name !== undefined && { name }),
        })),
      ),
    ),
  )
}

const reviews = resource<Review>(
  'authorization.k8s.io/v1',
  'selfsubjectaccessreviews',
  'SelfSubjectAccessReview',
  false,
)

interface Review extends KubeObject {
  readonly status?: { readonly allowed?: boolean }
}

const PATIENCE_MS = 5_000

/** Rights that we do not have. Throws where none is known by the time that the API server does not say, or is late. */
export async function missingRights(
  client: KubeClient,
  rights: readonly Right[],
): Promise<readonly Right[]> {
  const missing: Right[] = []
  // One after the other, since hundreds at once are a burden; together no longer than a start may wait.
  const signal = AbortSignal.timeout(PATIENCE_MS)
  for (const right of rights) {
    try {
      const answer = await client.create(reviews, reviewOf(right), { signal })
      if (answer.status?.allowed !== true) missing.push(right)
    } catch (error) {
      // What is known to be missing by then is told.
      if (missing.length > 0) return missing
      throw error
    }
  }
  return missing
}

function reviewOf({ resource: path, ...right }: Right): KubeObject & { readonly spec: object } {
  const [plural, subresource] = path.split('/')
  const resourceAttributes = { ...right, resource: plural, ...(subresource && { subresource }) }
  const { apiVersion, kind } = reviews
  return { apiVersion, kind, metadata: { name: '' }, spec: { resourceAttributes } }
}
