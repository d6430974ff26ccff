// What a process needs to be allowed, one right each, and the question to the API server whether it is.

import type { KubeObject } from '#api/kubernetes.ts'
import type { KubeClient } from '#kube/client.ts'
import { resource } from '#kube/resources.ts'
import { abreast } from './abreast.ts'

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

/** What we are not allowed. */
export interface Lacking {
  readonly missing: readonly Right[]
  /** Of how many others the API server has not said it in time. */
  readonly unknown: number
}

/** Asks for each right. Throws where none is known to be missing, and of some it is not known. */
export async function missingRights(
  client: KubeClient,
  rights: readonly Right[],
): Promise<Lacking> {
  // Hundreds at once are a burden; together they take no longer than a start may wait.
  const signal = AbortSignal.timeout(PATIENCE_MS)
  const answers = await Promise.allSettled(
    abreast(rights, right => client.create(reviews, reviewOf(right), { signal })),
  )
  const missing = rights.filter((_, index) => {
    const answer = answers[index]!
    return answer.status === 'fulfilled' && answer.value.status?.allowed !== true
  })
  const late = answers.filter(({ status }) => status === 'rejected')
  if (missing.length === 0 && late.length > 0) throw (late[0] as PromiseRejectedResult).reason
  return { missing, unknown: late.length }
}

function reviewOf({ resource: path, ...right }: Right): KubeObject & { readonly spec: object } {
  const [plural, subresource] = path.split('/')
  const resourceAttributes = { ...right, resource: plural, ...(subresource && { subresource }) }
  const { apiVersion, kind } = reviews
  return { apiVersion, kind, metadata: { name: '' }, spec: { resourceAttributes } }
}
