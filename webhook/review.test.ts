// What a stranger may send, and what an API server gets back.

import { describe, expect, test } from 'vitest'

import { MalformedReview } from './fields.ts'
import { readReview, shortWarnings, writeReview } from './review.ts'

const object = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web' } }

function review(request: object): unknown {
  return {
    apiVersion: 'admission.k8s.io/v1',
    kind: 'AdmissionReview',
    request: {
      uid: 'u1',
      kind: { group: 'apps', version: 'v1', kind: 'Deployment' },
      operation: 'UPDATE',
      object,
      oldObject: object,
      ...request,
    },
  }
}

describe('reading', () => {
  test('fills in what an API server may leave out', () => {
    expect(readReview(review({}))).toEqual({
      uid: 'u1',
      kind: { group: 'apps', version: 'v1', kind: 'Deployment' },
      operation: 'UPDATE',
      name: '',
      namespace: '',
      userInfo: {},
      object,
      oldObject: object,
      options: {},
      dryRun: false,
    })
  })

  test('says in which version the sender wrote, where it is another', () => {
    const kind = { group: 'rollouts.kruise.io', version: 'v1beta1', kind: 'Rollout' }
    const written = (version: string) =>
      readReview(review({ kind, requestKind: { ...kind, version } })).writtenIn
    expect([written('v1beta1'), written('v1alpha1')]).toEqual([undefined, 'v1alpha1'])
  })

  const refused: readonly [string, unknown, string][] = [
    ['nothing', undefined, 'the body: expected a JSON object'],
    ['a list', [], 'the body: expected a JSON object'],
    [
      'a version of the sender that is no text',
      review({ requestKind: { version: 1 } }),
      'request.requestKind.version: expected a text',
    ],
    [
      'v1beta1',
      { ...(review({}) as object), apiVersion: 'admission.k8s.io/v1beta1' },
      'apiVersion and kind: expected admission.k8s.io/v1 AdmissionReview',
    ],
    [
      'another kind',
      { ...(review({}) as object), kind: 'ConversionReview' },
      'apiVersion and kind: expected admission.k8s.io/v1 AdmissionReview',
    ],
    [
      'no request',
      { apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview' },
      'request: expected a JSON object',
    ],
    ['no uid', review({ uid: undefined }), 'request.uid: expected a text'],
    ['an empty uid', review({ uid: '' }), 'request.uid: expected a text that is not empty'],
    ['a number for a uid', review({ uid: 7 }), 'request.uid: expected a text'],
    [
      'a made-up operation',
      review({ operation: 'toString' }),
      'request.operation: expected one of CREATE,UPDATE,DELETE,CONNECT',
    ],
    ['no kind', review({ kind: null }), 'request.kind: expected a JSON object'],
    [
      'an update of nothing',
      review({ object: null }),
      'request.object: missing, UPDATE carries it',
    ],
    [
      'a deletion of nothing',
      review({ operation: 'DELETE', oldObject: null }),
      'request.oldObject: missing, DELETE carries it',
    ],
    [
      'an object without metadata',
      review({ object: { kind: 'Deployment' } }),
      'request.object.metadata: expected a JSON object',
    ],
    ['a text for an object', review({ object: 'web' }), 'request.object: expected a JSON object'],
    ['a text for dryRun', review({ dryRun: 'no' }), 'request.dryRun: expected true or false'],
    ['a list of options', review({ options: [] }), 'request.options: expected a JSON object'],
  ]
  for (const [name, body, message] of refused) {
    test(`refuses ${name}`, () => {
      expect(() => readReview(body)).toThrow(new MalformedReview(message))
    })
  }

  test('takes a deletion, which has no object', () => {
    expect(readReview(review({ operation: 'DELETE', object: null })).object).toBeNull()
  })
})

describe('writing', () => {
  test('echoes the uid, and encodes the patch', () => {
    const patch = [{ op: 'add', path: '/spec/paused', value: true }] as const
    const written = JSON.parse(writeReview('u1', { allowed: true, patch, held: true }))
    expect(written).toEqual({
      apiVersion: 'admission.k8s.io/v1',
      kind: 'AdmissionReview',
      response: {
        uid: 'u1',
        allowed: true,
        patchType: 'JSONPatch',
        patch: Buffer.from(JSON.stringify(patch)).toString('base64'),
      },
    })
  })

  test('sends no empty patch and no empty warnings', () => {
    const written = JSON.parse(writeReview('u1', { allowed: true, patch: [], warnings: [] }))
    expect(written.response).toEqual({ uid: 'u1', allowed: true })
  })
})

describe('warnings', () => {
  /** So many that each is cut. */
  const others = Array.from({ length: 12 }, () => 'o'.repeat(256))
  const cut = (warning: string) => shortWarnings([warning, ...others])[0]!

  test('stay whole, however long, while all together are short enough', () => {
    const lines = ['a'.repeat(1000), 'ä'.repeat(2072)]
    expect(shortWarnings(lines)).toEqual(lines)
    expect(shortWarnings([...lines, 'b']).map(({ length }) => length)).toEqual([256, 256, 1])
  })

  test('of 256 characters stay whole', () => {
    const exact = 'ä'.repeat(256)
    expect(shortWarnings([exact, ...others])).toEqual([exact, ...others])
  })

  test('that are longer are cut at a word', () => {
    expect(cut('word '.repeat(60))).toBe(`${'word '.repeat(49)}word...`)
    expect(cut('word '.repeat(60)).length).toBeLessThanOrEqual(256)
    expect(cut(`${'a'.repeat(250)} bcdefghijk`)).toBe(`${'a'.repeat(250)}...`)
    expect(cut(`${'a'.repeat(253)} bcd`)).toBe(`${'a'.repeat(253)}...`)
  })

  test('without a space are cut where they must, never within a character', () => {
    expect(cut('😀'.repeat(300))).toBe(`${'😀'.repeat(253)}...`)
  })

  test('lose their control characters', () => {
    expect(shortWarnings(['one\r\ntwo\u0000'])).toEqual(['one two '])
  })
})
