// ConversionReviews as the API server sends them, and as others might.

import { expect, test } from 'vitest'

import { API_VERSION, OLDER_API_VERSION } from '#api/names.ts'
import { answerConversion, readConversion } from './conversion.ts'
import { MalformedReview } from './fields.ts'

type Json = Record<string, unknown>

function review(request: Json = {}): Json {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'ConversionReview',
    request: { uid: 'u', desiredAPIVersion: API_VERSION, objects: [], ...request },
  }
}

function rollout(name: string, weight: unknown = 20): Json {
  const workloadRef = { apiVersion: 'apps/v1', kind: 'Deployment', name }
  return {
    apiVersion: OLDER_API_VERSION,
    kind: 'Rollout',
    metadata: { namespace: 'shop', name },
    spec: { objectRef: { workloadRef }, strategy: { canary: { steps: [{ weight }] } } },
  }
}

function answer(objects: readonly Json[]) {
  const bugs: unknown[] = []
  const { body, outcome, message } = answerConversion(readConversion(review({ objects })), bug =>
    bugs.push(bug),
  )
  const { response, ...head } = JSON.parse(body) as Json & { readonly response: Json }
  expect(head).toEqual({ apiVersion: 'apiextensions.k8s.io/v1', kind: 'ConversionReview' })
  return { response, outcome, message, bugs }
}

test('all objects come back in the wanted version, in their order', () => {
  const { response, outcome } = answer([rollout('a'), rollout('b')])
  expect(outcome).toBe('converted')
  expect(response).toMatchObject({ uid: 'u', result: { status: 'Success' } })
  const objects = response['convertedObjects'] as readonly Json[]
  expect(objects.map(each => each['apiVersion'])).toEqual([API_VERSION, API_VERSION])
  expect(objects.map(each => each['metadata'])).toEqual([
    { namespace: 'shop', name: 'a' },
    { namespace: 'shop', name: 'b' },
  ])
})

test('each object that cannot be converted is named, and so is its field', () => {
  const field = 'spec.strategy.canary.steps[0].weight'
  const { response, outcome, bugs } = answer([rollout('a'), rollout('b', 'x'), rollout('c', 1.5)])
  const message =
    `Rollout shop/b: ${field}: expected a whole number, got "x"; ` +
    `Rollout shop/c: ${field}: expected a whole number, got 1.5`
  expect(outcome).toBe('failed')
  expect(response).toEqual({
    uid: 'u',
    convertedObjects: [],
    result: { status: 'Failure', message },
  })
  expect(bugs).toEqual([])
})

test('of many that cannot be converted, five are named', () => {
  const { message } = answer(Array.from({ length: 500 }, (_, n) => rollout(`r${n}`, 'x')))
  expect(message).toMatch(/Rollout shop\/r4: [^;]*; and 495 more$/)
})

test('a bug is told, and answered', () => {
  const bad = rollout('a')
  Object.defineProperty(bad, 'kind', {
    get() {
      throw new Error('a bug')
    },
  })
  const bugs: unknown[] = []
  const request = { uid: 'u', desiredApiVersion: API_VERSION, objects: [bad] }
  const { outcome, body } = answerConversion(request, bug => bugs.push(bug))
  expect(outcome).toBe('bug')
  expect(body).toContain('"Failure"')
  expect(bugs).toEqual([new Error('a bug')])
})

test.each<[string, unknown, string]>([
  ['no object', 'x', 'the body: expected a JSON object'],
  [
    'another kind',
    { ...review(), kind: 'AdmissionReview' },
    'apiVersion and kind: expected apiextensions.k8s.io/v1 ConversionReview',
  ],
  ['no request', { ...review(), request: null }, 'request: expected a JSON object'],
  ['no uid', review({ uid: '' }), 'request.uid: expected a text that is not empty'],
  ['no list', review({ objects: {} }), 'request.objects: expected a list'],
  ['an item', review({ objects: [{}, 1] }), 'request.objects[1]: expected a JSON object'],
  ['no version', review({ desiredAPIVersion: 1 }), 'request.desiredAPIVersion: expected a text'],
])('%s is refused with a line', (_, body, message) => {
  expect(() => readConversion(body)).toThrow(new MalformedReview(message))
})
