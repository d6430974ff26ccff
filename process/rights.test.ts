// What is told of rights where the API server says of some that they are missing, and of others nothing in time.

import { expect, test } from 'vitest'

import type { KubeClient } from '#kube/client.ts'
import { lackingInWords } from './findings.ts'
import { missingRights, rightsOf } from './rights.ts'

const rights = rightsOf([{ group: 'apps', resources: ['deployments'], verbs: ['get', 'list'] }])
const [get, list] = rights

/** An API server that says it of each right, or fails. */
function answering(says: (verb: string) => boolean | Error): KubeClient {
  const create = async (
    _: unknown,
    { spec }: { readonly spec: { readonly resourceAttributes: { readonly verb: string } } },
  ) => {
    const allowed = says(spec.resourceAttributes.verb)
    if (allowed instanceof Error) throw allowed
    return { status: { allowed } }
  }
  return { create } as unknown as KubeClient
}

test('each that is missing is named', async () => {
  const found = await missingRights(
    answering(() => false),
    rights,
  )
  expect(found).toEqual({ missing: [get, list], unknown: 0 })
  expect(lackingInWords(found)).toBe('get deployments.apps; list deployments.apps')
  const none = await missingRights(
    answering(() => true),
    rights,
  )
  expect(none).toEqual({ missing: [], unknown: 0 })
})

test('of those that are not known it is told that there are more', async () => {
  const found = await missingRights(
    answering(verb => (verb === 'get' ? new Error('late') : false)),
    rights,
  )
  expect(found).toEqual({ missing: [list], unknown: 1 })
  expect(lackingInWords(found)).toBe('list deployments.apps; of 1 more it is not known')
})

test('where none is known to be missing, and not all are there, nobody is told that they are', async () => {
  const late = answering(verb => (verb === 'get' ? new Error('late') : true))
  await expect(missingRights(late, rights)).rejects.toThrow('late')
})
