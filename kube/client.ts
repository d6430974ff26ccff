// The API server's client: typed requests over one pool of connections, and watches over another.
// Errors are those of errors.ts; an aborted signal throws its reason.
import type { KubeObject } from '#api/kubernetes.ts'
import type { Connection } from './connection.ts'
import { Gone, withoutAnswer } from './errors.ts'
import { fenced } from './fence.ts'
import type { Fence } from './fence.ts'
import { defined, namespaceOf, scopeQuery, withQuery, writeQuery } from './requests.ts'
import type {
  ApplyOptions,
  JsonPatchOperation,
  ListOptions,
  Page,
  RemoveOptions,
  RequestOptions,
  WriteOptions,
} from './requests.ts'
import { pathOf } from './resources.ts'
import type { ObjectRef, ResourceType } from './resources.ts'
import { Transport } from './transport.ts'
import { watch } from './watch.ts'
import type { WatchEvent, WatchOptions } from './watch.ts'

export type { JsonPatchOperation } from './requests.ts'

/** One kind of a version of an API group, as discovery tells it. */
export interface ServedKind {
  /** The plural in the URL; a subresource stands behind a slash. */
  readonly name: string
  readonly kind: string
  readonly namespaced: boolean
}

/** How a client is made. */
export interface ClientOptions {
  /** Version for the user-agent `sluice/<version>`; `dev` unless given. */
  readonly version?: string
  /** Which process it is, for the user-agent: the audit log then tells replicas apart. */
  readonly process?: string
  /** Binds every request to a time of leading; see fence.ts. */
  readonly fence?: Fence
  /** Time limit of one request, 30 s unless given. */
  readonly timeoutMs?: number
  /**
   * Most requests under way at once; watches do not count. Without it nothing limits them here: the
   * API server's own fairness says when it has enough.
   */
  readonly connections?: number
  /** Gets the text of each admission warning. */
  readonly onWarning?: (text: string) => void
}

const PAGE_SIZE = 500
const REQUEST_TIMEOUT_MS = 30_000
const aboutItself: RequestOptions = { timeoutMs: 3_000 }

/** Reads, writes and watches objects of one API server. */
export class KubeClient {
  readonly #transport: Transport
  readonly #timeoutMs: number
  readonly #fence: Fence | undefined

  constructor(connection: Connection, options: ClientOptions = {}) {
    this.#timeoutMs = options.timeoutMs ?? REQUEST_TIMEOUT_MS
    this.#fence = options.fence
    this.#transport = new Transport({
      connection,
      userAgent: userAgentOf(options),
      ...(options.connections === undefined ? {} : { connections: options.connections }),
      ...(options.onWarning === undefined ? {} : { onWarning: options.onWarning }),
      ...(options.fence === undefined ? {} : { fence: options.fence }),
    })
  }

  /** Reads one object. */
  async get<T extends KubeObject>(
    type: ResourceType<T>,
    ref: ObjectRef,
    options: RequestOptions = {},
  ): Promise<T> {
    return this.#send<T>('GET', pathOf(type, ref, options.subresource), options)
  }

  /** Reads one page of a list; the objects carry apiVersion and kind. */
  async list<T extends KubeObject>(
    type: ResourceType<T>,
    options: ListOptions = {},
  ): Promise<Page<T>> {
    const query = scopeQuery(options)
    const limit = options.limit ?? PAGE_SIZE
    if (limit > 0) query.set('limit', String(limit))
    if (options.continue !== undefined) query.set('continue', options.continue)
    const path = withQuery(pathOf(type, namespaceOf(options)), query)
    const answer = await this.#send<ListAnswer<T>>('GET', path, options)
    const { apiVersion, kind } = type
    return {
      // In a list the API server leaves out what is the same for all.
      items: (answer.items ?? []).map(item => ({ ...item, apiVersion, kind })),
      resourceVersion: answer.metadata.resourceVersion,
      ...(answer.metadata.continue ? { continue: answer.metadata.continue } : {}),
    }
  }

  /** Reads all objects, page by page. */
  async listAll<T extends KubeObject>(
    type: ResourceType<T>,
    options: ListOptions = {},
  ): Promise<Page<T>> {
    return this.listProjected(type, options, object => object)
  }

  /** Reads all objects and keeps of each what `project` gives, so that a page is soon garbage. */
  async listProjected<T extends KubeObject, P>(
    type: ResourceType<T>,
    options: ListOptions,
    project: (object: T) => P,
  ): Promise<Page<P>> {
    try {
      return await this.#pages(type, options, project)
    } catch (error) {
      if (!(error instanceof Gone)) throw error
      // Compaction overtook the pages; a list without pages is one consistent answer.
      return this.#pages(type, { ...options, limit: 0 }, project)
    }
  }

  /** Creates an object in the namespace of its metadata; throws `AlreadyExists`. */
  async create<T extends KubeObject, B extends KubeObject>(
    type: ResourceType<T>,
    object: B,
    options: WriteOptions = {},
  ): Promise<T> {
    const { name, namespace } = object.metadata
    const at = options.subresource === undefined ? { namespace } : { namespace, name }
    const path = withQuery(pathOf(type, defined(at), options.subresource), writeQuery(options))
    return this.#send<T>('POST', path, options, { value: object })
  }

  /** Replaces an object; throws `Conflict` unless its resourceVersion is the current one. */
  async replace<T extends KubeObject, B extends KubeObject>(
    type: ResourceType<T>,
    object: B,
    options: WriteOptions = {},
  ): Promise<T> {
    return this.#write<T>('PUT', type, object.metadata, { ...options, value: object })
  }

  /** Applies a merge patch (RFC 7386); a resourceVersion in it guards the write. */
  async mergePatch<T extends KubeObject>(
    type: ResourceType<T>,
    ref: ObjectRef,
    patch: object,
    options: WriteOptions = {},
  ): Promise<T> {
    const contentType = 'application/merge-patch+json'
    return this.#write<T>('PATCH', type, ref, { ...options, value: patch, contentType })
  }

  /** Applies a strategic merge patch, which merges lists by their keys; built-in kinds only. */
  async strategicPatch<T extends KubeObject>(
    type: ResourceType<T>,
    ref: ObjectRef,
    patch: object,
    options: WriteOptions = {},
  ): Promise<T> {
    const contentType = 'application/strategic-merge-patch+json'
    return this.#write<T>('PATCH', type, ref, { ...options, value: patch, contentType })
  }

  /** Applies a JSON patch (RFC 6902); a failed `test` operation is `Invalid`. */
  async jsonPatch<T extends KubeObject>(
    type: ResourceType<T>,
    ref: ObjectRef,
    operations: readonly JsonPatchOperation[],
    options: WriteOptions = {},
  ): Promise<T> {
    const contentType = 'application/json-patch+json'
    return this.#write<T>('PATCH', type, ref, { ...options, value: operations, contentType })
  }

  /** Server-side apply: creates or updates the given fields, owned by the field manager. */
  async apply<T extends KubeObject, B extends KubeObject>(
    type: ResourceType<T>,
    object: B,
    options: ApplyOptions,
  ): Promise<T> {
    const contentType = 'application/apply-patch+yaml'
    return this.#write<T>('PATCH', type, object.metadata, {
      ...options,
      value: object,
      contentType,
    })
  }

  /** Removes an object; throws `NotFound` where there is none. */
  async remove(type: ResourceType, ref: ObjectRef, options: RemoveOptions = {}): Promise<void> {
    const { uid, resourceVersion, propagation, gracePeriodSeconds } = options
    const preconditions = defined({ uid, resourceVersion })
    const value = defined({
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      propagationPolicy: propagation,
      gracePeriodSeconds,
      preconditions: Object.keys(preconditions).length > 0 ? preconditions : undefined,
      dryRun: options.dryRun === true ? ['All'] : undefined,
    })
    const path = pathOf(type, ref, options.subresource)
    await this.#send<unknown>('DELETE', path, options, { value })
  }

  /**
   * Gives the changes after a resourceVersion until the server ends the watch. Throws `Gone` where
   * that version is too old, and `Retryable` where the stream breaks, is silent too long or is
   * not JSON: then go on from the last version seen.
   */
  watch<T extends KubeObject>(
    type: ResourceType<T>,
    options: WatchOptions,
  ): AsyncGenerator<WatchEvent<T>> {
    return watch(this.#transport, type, options)
  }

  /** The version of the API server. */
  async version(): Promise<{ readonly major: number; readonly minor: number }> {
    const { major, minor } = await this.#send<{ major: string; minor: string }>(
      'GET',
      '/version',
      aboutItself,
    )
    // Some distributions write `31+`.
    return { major: Number.parseInt(major, 10), minor: Number.parseInt(minor, 10) }
  }

  /** Returns where a version of an API group is served; throws `NotFound` where it is not. */
  async serves(apiVersion: string): Promise<void> {
    await this.#send('GET', `/apis/${apiVersion}`, aboutItself)
  }

  /** The kinds of a version of an API group; throws `NotFound` where that is not served. */
  async kindsOf(apiVersion: string, options: RequestOptions = {}): Promise<readonly ServedKind[]> {
    const asked = { ...aboutItself, ...options }
    const path = `/${apiVersion.includes('/') ? 'apis' : 'api'}/${apiVersion}`
    const answer = await this.#send<{ resources?: readonly ServedKind[] }>('GET', path, asked)
    return answer.resources ?? []
  }

  /** Closes every connection; requests and watches under way fail. */
  async close(): Promise<void> {
    await this.#transport.close()
  }

  async #pages<T extends KubeObject, P>(
    type: ResourceType<T>,
    options: ListOptions,
    project: (object: T) => P,
  ): Promise<Page<P>> {
    const first = await this.list(type, options)
    const items = first.items.map(project)
    for (let token = first.continue; token !== undefined;) {
      const page = await this.list(type, { ...options, continue: token })
      for (const object of page.items) items.push(project(object))
      token = page.continue
    }
    return { items, resourceVersion: first.resourceVersion }
  }

  async #write<T>(
    method: 'PUT' | 'PATCH',
    type: ResourceType,
    ref: ObjectRef,
    options: Partial<ApplyOptions> & Body,
  ): Promise<T> {
    const path = withQuery(pathOf(type, ref, options.subresource), writeQuery(options))
    return this.#send<T>(method, path, options, options)
  }

  async #send<T>(
    method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE',
    path: string,
    options: RequestOptions,
    body?: Body,
  ): Promise<T> {
    const timeoutMs = options.timeoutMs ?? this.#timeoutMs
    const answer = await this.#transport.send({
      ...fenced({ method, path, timeoutMs }, this.#fence),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
      ...(body === undefined
        ? {}
        : {
            body: JSON.stringify(body.value),
            contentType: body.contentType ?? 'application/json',
          }),
    })
    try {
      return JSON.parse(answer) as T
    } catch (error) {
      throw withoutAnswer(`${method} ${path}`, 'the answer is not JSON', error)
    }
  }
}

function userAgentOf({ version = 'dev', process }: ClientOptions): string {
  return process === undefined ? `sluice/${version}` : `sluice/${version} (${process})`
}

interface Body {
  readonly value: unknown
  readonly contentType?: string
}

interface ListAnswer<T> {
  readonly items?: readonly T[] | null
  readonly metadata: { readonly resourceVersion: string; readonly continue?: string }
}
