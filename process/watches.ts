// What the log is told of a watch that fails.

import type { Logger } from 'pino'

import { Forbidden } from '#kube/errors.ts'
import type { ReflectorNews } from '#kube/reflector.ts'

/** An API server that takes up a changed CRD ends the watches of its objects, and serves them a moment later. */
const PASSING_MS = 5000

/** Tells of a watch that failed: one that is back in a moment is no trouble. */
export function tellFailedWatch(
  log: Logger,
  resource: string,
  { error, lastsMs, retryInMs }: Extract<ReflectorNews, { readonly what: 'failed' }>,
): void {
  const passes = lastsMs < PASSING_MS && !(error instanceof Forbidden)
  if (!passes) return log.warn({ resource, err: error }, 'the watch failed')
  const why = error instanceof Error ? error.message : String(error)
  log.info({ resource, why, retryInMs }, 'the watch begins anew')
}
