// A request to the API server as the fault proxy sees it: what is asked of which object, read off its
// method and path, so that a test can choose by meaning which request fails.

/** One request, before anything of it has reached the API server. */
export interface ProxiedRequest {
  /** 1 for the first request through the proxy, whatever it asks. */
  readonly number: number
  /** 1 for the first write, Leases apart: they come by the clock. Undefined for all others. */
  readonly write?: number
  readonly verb: Verb
  readonly method: string
  /** Path and query, as they came. */
  readonly path: string
  /** The plural, as in `replicasets`; empty for a path that names none, such as /readyz. */
  readonly resource: string
  readonly namespace?: string
  readonly name?: string
  readonly subresource?: string
  /** Bearer token and such, by their names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly body: string
}

/** What is asked, in the words of RBAC. */
export type Verb =
  | 'get'
  | 'list'
  | 'watch'
  | 'create'
  | 'update'
  | 'patch'
  | 'delete'
  | 'deletecollection'

/** Where a path leads. */
export type Place = Pick<ProxiedRequest, 'resource' | 'namespace' | 'name' | 'subresource'>

/** Reads a path such as /apis/apps/v1/namespaces/shop/deployments/web/status. */
export function placeOf(path: string): Place {
  const parts = partsOf(path)
  const at = parts[0] === 'api' ? 2 : 3
  const [first, namespace, ...rest] = parts.slice(at)
  // `namespaces` is a kind of its own as well: /api/v1/namespaces/shop, and its status.
  const own = rest.length === 0 || rest[0] === 'status' || rest[0] === 'finalize'
  if (first !== 'namespaces' || own) return place(parts.slice(at))
  return { ...place(rest), ...(namespace !== undefined && { namespace }) }
}

/** What a method asks for at a path. */
export function verbOf(method: string, path: string): Verb {
  const named = placeOf(path).name !== undefined
  if (method === 'POST') return 'create'
  if (method === 'PUT') return 'update'
  if (method === 'PATCH') return 'patch'
  if (method === 'DELETE') return named ? 'delete' : 'deletecollection'
  if (named) return 'get'
  return queryOf(path).get('watch') === 'true' ? 'watch' : 'list'
}

/** The same request for the objects of one namespace, where it asks for those of all of them. */
export function narrowed(path: string, namespace: string, kinds: readonly string[]): string {
  const { resource, namespace: given, name } = placeOf(path)
  if (given !== undefined || name !== undefined || !kinds.includes(resource)) return path
  const [plain = '', query] = path.split('?')
  const group = plain.slice(0, plain.lastIndexOf('/'))
  const narrow = `${group}/namespaces/${namespace}/${resource}`
  return query === undefined ? narrow : `${narrow}?${query}`
}

/** The same list as it was at a resourceVersion. */
export function asOf(path: string, resourceVersion: bigint): string {
  const [plain = '', query] = path.split('?')
  const asked = new URLSearchParams(query)
  // The later pages of a list are as old as its first one.
  if (asked.has('continue')) return path
  asked.set('resourceVersion', String(resourceVersion))
  asked.set('resourceVersionMatch', 'Exact')
  return `${plain}?${asked.toString()}`
}

function place([resource = '', name, subresource]: readonly string[]): Place {
  return {
    resource,
    ...(name !== undefined && { name }),
    ...(subresource !== undefined && { subresource }),
  }
}

function partsOf(path: string): readonly string[] {
  const [plain = ''] = path.split('?')
  return plain.split('/').filter(Boolean).map(decodeURIComponent)
}

function queryOf(path: string): URLSearchParams {
  return new URLSearchParams(path.split('?')[1] ?? '')
}
