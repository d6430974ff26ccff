// A watch that fails for a moment is no trouble; one that goes on failing is.

import { pino } from 'pino'
import { expect, test } from 'vitest'

import { fromStatus } from '#kube/errors.ts'
import { tellFailedWatch } from './watches.ts'

test.each([
  ['ended at once', 200, 0, 'info'],
  ['is not served yet', 404, 4000, 'info'],
  ['goes on failing', 503, 6000, 'warn'],
  ['may not be opened', 403, 0, 'warn'],
])('a watch that %s', (_, code, lastsMs, level) => {
  const lines: string[] = []
  const log = pino({}, { write: line => void lines.push(line) })
  const error = fromStatus({ code, body: 'no', request: 'GET /rollouts' })
  tellFailedWatch(log, 'rollouts', { what: 'failed', error, lastsMs, retryInMs: 500 })
  const [line] = lines.map(each => JSON.parse(each) as Record<string, unknown>)
  const why = `GET /rollouts: ${code} no`
  expect(line).toMatchObject(
    level === 'warn'
      ? { level: 40, msg: 'the watch failed', resource: 'rollouts', err: { message: why } }
      : { level: 30, msg: 'the watch begins anew', resource: 'rollouts', why, retryInMs: 500 },
  )
  expect(line).toHaveProperty(level === 'warn' ? 'err.stack' : 'why')
})
