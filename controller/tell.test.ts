// Events against an API server that does not take them.

import { expect, test } from 'vitest'

import type { Snapshot, WorkloadEvent } from '#core/rollout/model.ts'
import { Retryable } from '#kube/errors.ts'
import { LeadLost } from '#kube/fence.ts'
import { createNews } from './news.ts'
import { tell } from './tell.ts'
import { answeredClient } from '../test/world/answered-client.ts'

const workload = {
  uid: 'uid',
  ref: { apiVersion: 'apps/v1', kind: 'Deployment', namespace: 'shop', name: 'web' },
}
const snapshot = { now: 0, workload } as unknown as Snapshot
const aborted: WorkloadEvent = {
  type: 'Normal',
  reason: 'ReleaseAborted',
  message: 'everybody is back',
  key: 'aborted/1',
}

/** A teller whose API server gives these answers, one after the other. */
async function teller(codes: number[], fence?: () => number, what = snapshot) {
  const asked: string[] = []
  const about: unknown[] = []
  const client = await answeredClient((request, response) => {
    asked.push(request.method ?? '')
    let body = ''
    request.on('data', (words: Buffer) => (body += words.toString()))
    request.on('end', () => about.push(JSON.parse(body).involvedObject))
    const code = codes.shift() ?? 201
    response.writeHead(code).end(JSON.stringify({ kind: 'Status', code, metadata: {} }))
  }, fence && { fence })
  const told: string[] = []
  const untold: number[] = []
  const telling = {
    client,
    news: createNews(),
    onWrite: () => {},
    onTold: (reason: string) => void told.push(reason),
    onUntold: (_: string, { code }: { readonly code: number }) => void untold.push(code),
  }
  return { asked, about, told, untold, again: () => tell(telling, what, aborted) }
}

test.each([403, 404, 422])('an event that is refused (%i) is given up, once', async code => {
  const { asked, told, untold, again } = await teller([code])
  expect(await again()).toBe(true)
  expect(await again()).toBe(false)
  expect([asked.length, told, untold]).toEqual([1, ['ReleaseAborted'], [code]])
})

test('an event that meets a busy server is tried twice', async () => {
  const { untold, again } = await teller([429, 429])
  await expect(again()).rejects.toBeInstanceOf(Retryable)
  expect(await again()).toBe(true)
  expect(untold).toEqual([429])
})

test('an event that meets a busy server once is told', async () => {
  const { told, untold, again } = await teller([429])
  await expect(again()).rejects.toBeInstanceOf(Retryable)
  expect(await again()).toBe(true)
  expect([told, untold]).toEqual([['ReleaseAborted'], []])
})

test('who leads no more tells nothing', async () => {
  const { asked, again } = await teller([], () => 0)
  await expect(again()).rejects.toBeInstanceOf(LeadLost)
  expect(asked).toEqual([])
})

test('of a workload that is gone it is told where its requests come', async () => {
  const metadata = { namespace: 'shop', name: 'web', uid: 's', resourceVersion: '1' }
  const traffic = { service: { metadata }, routes: [] }
  const gone = { now: 0, traffic } as unknown as Snapshot
  const { about, told, again } = await teller([], undefined, gone)
  expect(await again()).toBe(true)
  expect(told).toEqual(['ReleaseAborted'])
  const service = { apiVersion: 'v1', kind: 'Service', namespace: 'shop', name: 'web', uid: 's' }
  expect(about).toEqual([service])
})

test('where nothing is left to tell it of, nothing is told', async () => {
  const { asked, again } = await teller([], undefined, { now: 0 } as unknown as Snapshot)
  expect(await again()).toBe(false)
  expect(asked).toEqual([])
})
