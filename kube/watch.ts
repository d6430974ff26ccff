// One watch: the changes of a kind after a resourceVersion, as the server streams them.
import type { KubeObject } from '#api/kubernetes.ts'
import { fromWatchError, withoutAnswer } from './errors.ts'
import { BrokenFrame, lines } from './frames.ts'
import { namespaceOf, scopeQuery, withQuery } from './requests.ts'
import type { Scope } from './requests.ts'
import { pathOf } from './resources.ts'
import type { ResourceType } from './resources.ts'
import type { Transport } from './transport.ts'

/** Options of a watch. */
export interface WatchOptions extends Scope {
  readonly resourceVersion: string
  readonly signal?: AbortSignal
  /** When the server is to end it; 300 s unless given. */
  readonly timeoutSeconds?: number
  /** Longest silence before the connection counts as dead, 150 s unless given. */
  readonly idleMs?: number
  /** Called when the server has begun to answer: from here on it tells of every change. */
  readonly onOpen?: () => void
}

/** One change; a BOOKMARK says only how far the watch has come. */
export type WatchEvent<T> =
  | { readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: T }
  | { readonly type: 'BOOKMARK'; readonly resourceVersion: string }

const WATCH_SECONDS = 300
/**
 * The kernel finds a peer that is gone, but not one that stands still, nor a middle-box that has
 * forgotten us. Where nothing happens a bookmark comes every minute, the first within two.
 */
const SILENCE_MS = 150_000
/** The server answers a watch with its headers at once. */
const OPEN_TIMEOUT_MS = 30_000

/** See `KubeClient.watch`. */
export async function* watch<T extends KubeObject>(
  transport: Transport,
  type: ResourceType<T>,
  options: WatchOptions,
): AsyncGenerator<WatchEvent<T>> {
  const timeoutSeconds = options.timeoutSeconds ?? WATCH_SECONDS
  const query = scopeQuery(options)
  query.set('watch', 'true')
  query.set('allowWatchBookmarks', 'true')
  query.set('resourceVersion', options.resourceVersion)
  query.set('timeoutSeconds', String(timeoutSeconds))
  const base = pathOf(type, namespaceOf(options))
  const { signal } = options
  const stream = await transport.open(
    {
      method: 'GET',
      path: withQuery(base, query),
      timeoutMs: OPEN_TIMEOUT_MS,
      ...(signal === undefined ? {} : { signal }),
    },
    options.idleMs ?? SILENCE_MS,
  )
  try {
    options.onOpen?.()
    for await (const line of lines(stream.chunks)) yield parseEvent<T>(line, `WATCH ${base}`)
  } catch (error) {
    if (!(error instanceof BrokenFrame)) throw error
    throw withoutAnswer(`WATCH ${base}`, error.message, error)
  } finally {
    stream.close()
  }
}

/** Reads one line of a watch; throws the error that an ERROR event carries, or `BrokenFrame`. */
export function parseEvent<T extends KubeObject>(line: string, request: string): WatchEvent<T> {
  const { type, object } = parseFrame(line)
  if (type === 'ERROR') throw fromWatchError(object, request)
  const resourceVersion = object?.metadata?.resourceVersion ?? ''
  if (object === undefined || resourceVersion === '') {
    throw new BrokenFrame(`an event without an object: ${excerpt(line)}`)
  }
  if (type === 'BOOKMARK') return { type, resourceVersion }
  if (isChange(type)) return { type, object: object as T }
  throw new BrokenFrame(`an event of unknown type: ${excerpt(line)}`)
}

function isChange(type: string | undefined): type is 'ADDED' | 'MODIFIED' | 'DELETED' {
  return type === 'ADDED' || type === 'MODIFIED' || type === 'DELETED'
}

interface Frame {
  readonly type?: string
  readonly object?: { readonly metadata?: { readonly resourceVersion?: string } }
}

function parseFrame(line: string): Frame {
  try {
    const value: unknown = JSON.parse(line)
    if (typeof value === 'object' && value !== null) return value
  } catch {
    // Told below, with what the line says.
  }
  throw new BrokenFrame(`a line that is not a JSON object: ${excerpt(line)}`)
}

function excerpt(line: string): string {
  return line.slice(0, 80)
}
