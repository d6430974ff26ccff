// What a reflector has seen, by name and by index. Readers get the stored values themselves, so
// these are read-only; listeners hear of each change after it is in the cache.
import type { ObjectMeta } from '#api/kubernetes.ts'

/** What a cache keeps of an object: at least its metadata. */
export interface Cached {
  readonly metadata: ObjectMeta
}

/** Hears of one change: no `before` is an add, no `after` is a delete. It must not wait. */
export type Listener<P> = (before: P | undefined, after: P | undefined) => void

/** Gives the index values under which an object is found: always the same ones for the same object. */
export type Indexer<P> = (item: P) => readonly string[]

/** How a cache is made. */
export interface CacheOptions<P> {
  readonly indexes?: Readonly<Record<string, Indexer<P>>>
  /** Namespaces that feed it, each by a list of its own; none: it is fed by one list. */
  readonly namespaces?: readonly string[]
  /** Gets what a listener or an indexer throws; the others and the reflector go on. */
  readonly onListenerError?: (error: unknown) => void
}

/** Objects of one kind, kept current by a `Reflector`. */
export class Cache<P extends Cached> {
  /** Fulfilled when the first complete list, of each namespace that feeds it, is in the cache. */
  readonly synced: Promise<void>
  readonly #items = new Map<string, P>()
  readonly #indexes = new Map<string, Index<P>>()
  readonly #listeners = new Set<Listener<P>>()
  readonly #onListenerError: (error: unknown) => void
  readonly #markSynced: () => void
  /** Whose first list is still to come. */
  readonly #unlisted: Set<string | undefined>
  #resourceVersion = ''
  #listenerErrors = 0

  constructor(options: CacheOptions<P> = {}) {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.synced = promise
    this.#markSynced = resolve
    this.#unlisted = new Set(options.namespaces)
    this.#onListenerError = options.onListenerError ?? (() => {})
    for (const [name, indexer] of Object.entries(options.indexes ?? {})) {
      this.#indexes.set(name, new Index(indexer, error => this.#failed(error)))
    }
  }

  /** How far the cache has come: the version of the last list, event or bookmark; '' before. */
  get resourceVersion(): string {
    return this.#resourceVersion
  }

  get size(): number {
    return this.#items.size
  }

  /** How many times a listener or an indexer has thrown. */
  get listenerErrors(): number {
    return this.#listenerErrors
  }

  /** Finds one object; cluster-wide kinds have the namespace `undefined`. */
  get(namespace: string | undefined, name: string): P | undefined {
    return this.#items.get(keyOf({ name, ...(namespace === undefined ? {} : { namespace }) }))
  }

  list(): P[] {
    return [...this.#items.values()]
  }

  /** Finds the objects under one value of an index; throws for an index that was not given. */
  byIndex(name: string, value: string): P[] {
    const index = this.#indexes.get(name)
    if (index === undefined) throw new TypeError(`the cache has no index ${name}`)
    return index.find(value)
  }

  /** Calls the listener for every change from now on; gives the function that ends it. */
  onChange(listener: Listener<P>): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /**
   * Makes the cache equal to a complete list, telling each difference; of a namespace that is given
   * alone, what is in others stays. For the reflector.
   */
  replace(items: readonly P[], resourceVersion: string, namespace?: string): void {
    const listed = new Set(items.map(item => keyOf(item.metadata)))
    this.#resourceVersion = resourceVersion
    for (const { metadata } of this.list()) {
      const elsewhere = namespace !== undefined && metadata.namespace !== namespace
      if (!elsewhere && !listed.has(keyOf(metadata))) this.#set(metadata, undefined)
    }
    for (const item of items) {
      const before = this.#items.get(keyOf(item.metadata))
      if (!sameVersion(before, item)) this.#set(item.metadata, item)
    }
    this.#unlisted.delete(namespace)
    if (this.#unlisted.size === 0) this.#markSynced()
  }

  /** Stores an added or changed object. For the reflector. */
  put(item: P, resourceVersion: string): void {
    this.#resourceVersion = resourceVersion
    this.#set(item.metadata, item)
  }

  /** Forgets a deleted object. For the reflector. */
  remove(metadata: ObjectMeta, resourceVersion: string): void {
    this.#resourceVersion = resourceVersion
    this.#set(metadata, undefined)
  }

  /** Notes how far the watch has come without a change. For the reflector. */
  advance(resourceVersion: string): void {
    this.#resourceVersion = resourceVersion
  }

  #set(metadata: ObjectMeta, after: P | undefined): void {
    const key = keyOf(metadata)
    const before = this.#items.get(key)
    if (before === undefined && after === undefined) return
    // Another object under the same name: who keeps state by uid must see the first one go.
    if (before !== undefined && after !== undefined && before.metadata.uid !== after.metadata.uid) {
      this.#set(metadata, undefined)
      this.#set(metadata, after)
      return
    }
    if (after === undefined) this.#items.delete(key)
    else this.#items.set(key, after)
    for (const index of this.#indexes.values()) index.move(key, before, after)
    for (const listener of this.#listeners) {
      try {
        listener(before, after)
      } catch (error) {
        this.#failed(error)
      }
    }
  }

  #failed(error: unknown): void {
    this.#listenerErrors += 1
    this.#onListenerError(error)
  }
}

class Index<P> {
  readonly #indexer: Indexer<P>
  readonly #onError: (error: unknown) => void
  readonly #items = new Map<string, Map<string, P>>()

  constructor(indexer: Indexer<P>, onError: (error: unknown) => void) {
    this.#indexer = indexer
    this.#onError = onError
  }

  find(value: string): P[] {
    return [...(this.#items.get(value)?.values() ?? [])]
  }

  move(key: string, before: P | undefined, after: P | undefined): void {
    const values = this.#valuesOf(after, this.#onError)
    // What could not be read then was filed nowhere.
    for (const value of this.#valuesOf(before, () => {})) {
      if (!values.includes(value)) this.#drop(value, key)
    }
    for (const value of values) this.#file(value, key, after!)
  }

  #valuesOf(item: P | undefined, onError: (error: unknown) => void): readonly string[] {
    try {
      return item === undefined ? [] : this.#indexer(item)
    } catch (error) {
      onError(error)
      return []
    }
  }

  #file(value: string, key: string, item: P): void {
    const found = this.#items.get(value) ?? new Map<string, P>()
    found.set(key, item)
    this.#items.set(value, found)
  }

  #drop(value: string, key: string): void {
    const found = this.#items.get(value)
    found?.delete(key)
    if (found?.size === 0) this.#items.delete(value)
  }
}

function keyOf(metadata: ObjectMeta): string {
  return `${metadata.namespace ?? ''}/${metadata.name}`
}

function sameVersion(before: Cached | undefined, after: Cached): boolean {
  return (
    before !== undefined &&
    before.metadata.uid === after.metadata.uid &&
    before.metadata.resourceVersion !== undefined &&
    before.metadata.resourceVersion === after.metadata.resourceVersion
  )
}
