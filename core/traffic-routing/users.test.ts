import { expect, test } from 'vitest'

import type { Traffic } from '../traffic/routed.ts'
import { isAnswered } from './users.ts'

const OLD = 'old'
const READY = { uid: 'new', readySince: 0 }
const STARTING = { uid: 'new' }

function behind(...ready: readonly string[]): Traffic {
  const metadata = { namespace: 'shop', name: 'web-1', uid: 'e', resourceVersion: '1' }
  return {
    routing: { service: 'web', routes: [], oneService: true, graceSeconds: 0 },
    routes: [],
    answers: new Map(),
    endpoints: [{ metadata, service: 'web', ready }],
  }
}

test.each([
  ['no new pod is Ready', STARTING, behind(OLD), false],
  ['one is Ready, and the Service has those of its workload without it', READY, behind(OLD), false],
  ['the Service has it, too', READY, behind(OLD, 'new'), true],
  ['it has it still, and it is not Ready any more', STARTING, behind(OLD, 'new'), false],
  ['the Service is that of an entry, with pods of others', READY, behind('entry'), true],
  ['the Service has nobody', READY, behind(), true],
  ['it cannot be followed', READY, undefined, true],
])('%s', (_, pod, traffic, answered) => {
  expect(isAnswered({ updatePods: [pod], podUids: [OLD, 'new'] }, traffic)).toBe(answered)
})
