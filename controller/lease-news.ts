// What the log is told of the Lease.

import type { Logger } from 'pino'

import type { LeaseNews } from '#kube/lease.ts'

/** Tells who leads; of an attempt that failed, why: it is made again. */
export function tellLease(log: Logger, news: LeaseNews): void {
  if (news.what === 'failed') {
    log.warn({ err: news.error }, 'the lease could not be read or written')
    return
  }
  log.info(news, 'lease')
}
