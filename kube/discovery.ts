// What the API server serves, as it tells everybody who asks.
import type { KubeClient, ServedKind } from './client.ts'
import { Forbidden, NotFound } from './errors.ts'
import type { RequestOptions } from './requests.ts'

/** How a kind is served; `secret`: the API server does not tell us. */
export type Served = Pick<ServedKind, 'name' | 'namespaced'> | 'nowhere' | 'secret'

/** Finds a kind, by its plural as well where that is given. Throws `Retryable`. */
export async function findKind(
  client: KubeClient,
  {
    apiVersion,
    kind,
    plural,
  }: { readonly apiVersion: string; readonly kind: string; readonly plural?: string },
  options: RequestOptions = {},
): Promise<Served> {
  try {
    const kinds = await client.kindsOf(apiVersion, options)
    const named = kinds.filter(each => each.kind === kind && !each.name.includes('/'))
    return named.find(({ name }) => plural === undefined || name === plural) ?? 'nowhere'
  } catch (error) {
    if (error instanceof NotFound) return 'nowhere'
    if (error instanceof Forbidden) return 'secret'
    throw error
  }
}
