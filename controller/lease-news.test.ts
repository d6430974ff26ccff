// A log line of the Lease says why an attempt failed.

import { pino } from 'pino'
import { expect, test } from 'vitest'

import { fromStatus } from '#kube/errors.ts'
import { tellLease } from './lease-news.ts'

test('who leads is told, and why the Lease could not be read', () => {
  const lines: unknown[] = []
  const log = pino({}, { write: line => void lines.push(JSON.parse(line)) })
  tellLease(log, { what: 'following', holder: 'b' })
  const error = fromStatus({ code: 403, body: 'no right', request: 'GET /leases/a' })
  tellLease(log, { what: 'failed', error })
  expect(lines).toMatchObject([
    { level: 30, msg: 'lease', what: 'following', holder: 'b' },
    {
      level: 40,
      msg: 'the lease could not be read or written',
      err: { message: 'GET /leases/a: 403 no right' },
    },
  ])
})
