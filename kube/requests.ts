// What a caller may ask of the API server: the options of each verb, and the query they become.
import type { ObjectRef } from './resources.ts'

/** Options of every request. */
export interface RequestOptions {
  readonly signal?: AbortSignal
  /** Time limit of this request in milliseconds. */
  readonly timeoutMs?: number
  /** Such as `status` or `scale`. */
  readonly subresource?: string
}

/** Options of a write. */
export interface WriteOptions extends RequestOptions {
  /** Name under which the API server records who owns the fields. */
  readonly fieldManager?: string
  /** Validated and admitted, but not stored. */
  readonly dryRun?: boolean
}

/** Options of a server-side apply. */
export interface ApplyOptions extends WriteOptions {
  readonly fieldManager: string
  /** Takes fields from other managers instead of failing with `Conflict`. */
  readonly force?: boolean
}

/** Options of a removal; a precondition that does not hold is a `Conflict`. */
export interface RemoveOptions extends RequestOptions {
  readonly uid?: string
  readonly resourceVersion?: string
  readonly propagation?: 'Background' | 'Foreground' | 'Orphan'
  readonly gracePeriodSeconds?: number
  readonly dryRun?: boolean
}

/** What a list or a watch covers; without a namespace, all of them. */
export interface Scope {
  readonly namespace?: string
  readonly labelSelector?: string
  readonly fieldSelector?: string
}

/** Options of a list. */
export interface ListOptions extends Scope, RequestOptions {
  /** Most objects in one page, 500 unless given; 0 is no limit. */
  readonly limit?: number
  /** The token of the page before. */
  readonly continue?: string
}

/** One page of a list, or all of them. */
export interface Page<T> {
  readonly items: readonly T[]
  /** Where a watch goes on from. */
  readonly resourceVersion: string
  /** Set where more pages follow. */
  readonly continue?: string
}

/** One operation of RFC 6902. */
export interface JsonPatchOperation {
  readonly op: 'add' | 'remove' | 'replace' | 'move' | 'copy' | 'test'
  readonly path: string
  readonly from?: string
  readonly value?: unknown
}

/** Gives the query of a scope's selectors. */
export function scopeQuery(scope: Scope): URLSearchParams {
  const { labelSelector, fieldSelector } = scope
  return new URLSearchParams(defined({ labelSelector, fieldSelector }))
}

/** Gives where in the URL a scope is. */
export function namespaceOf(scope: Scope): Partial<ObjectRef> {
  return scope.namespace === undefined ? {} : { namespace: scope.namespace }
}

/** Gives the query of a write's options. */
export function writeQuery(options: Partial<ApplyOptions>): URLSearchParams {
  return new URLSearchParams(
    defined({
      fieldManager: options.fieldManager,
      dryRun: options.dryRun === true ? 'All' : undefined,
      force: options.force === undefined ? undefined : String(options.force),
    }),
  )
}

/** Joins a path and a query that may be empty. */
export function withQuery(path: string, query: URLSearchParams): string {
  return query.size === 0 ? path : `${path}?${query.toString()}`
}

type Defined<T> = { [K in keyof T]: Exclude<T[K], undefined> }

/** Leaves out what is undefined: to the API server, absent and null are not the same. */
export function defined<T extends object>(value: T): Defined<T> {
  const entries = Object.entries(value).filter(([, each]) => each !== undefined)
  return Object.fromEntries(entries) as Defined<T>
}
