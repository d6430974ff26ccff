import { expect, test } from 'vitest'

import type { Deployment, DeploymentSpec, IntOrPercent } from '#api/kubernetes.ts'
import { invalidOwner, isProjected, ownerOfFree, ownerOfHeld } from './deployment-fields.ts'
import { projectDeployment, restoreDeployment } from './deployment-fields.ts'
import type { Hold } from './hold.ts'

const rolling = (maxUnavailable: IntOrPercent, maxSurge: IntOrPercent) => ({
  strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable, maxSurge } },
})
const hold: Hold = { mode: 'wave', pods: 3, budget: '30%', surge: '10%', rolloutId: 'a-2', seq: 1 }

function web(spec: Partial<DeploymentSpec> = {}): Deployment {
  const template = { spec: {} }
  const full = { template, ...rolling('25%', '25%'), progressDeadlineSeconds: 600, ...spec }
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'web' }, spec: full }
}

function recorded(spec: Partial<DeploymentSpec> = {}) {
  const owner = ownerOfFree(web(spec))
  return { owner, stable: 's', rollout: 'r', rolloutUid: 'u' }
}

function held(spec: Partial<DeploymentSpec> = {}, by = hold): DeploymentSpec {
  return projectDeployment(web(spec), by, ownerOfFree(web(spec))).spec
}

test('armed: new pods are Ready but never available, and no deadline runs out', () => {
  expect(held()).toMatchObject({
    ...rolling('030%', '010%'),
    minReadySeconds: 2147483646,
    progressDeadlineSeconds: 2147483647,
  })
  expect(held()).not.toHaveProperty('paused')
})

test.each([
  ['stop', { paused: true, minReadySeconds: 2147483646 }],
  ['aborted', { paused: true, progressDeadlineSeconds: 600 }],
  ['finishing', rolling('25%', '25%')],
  ['released', rolling('25%', '25%')],
] as const)('a hold that says %s', (mode, spec) => {
  expect(held({}, { ...hold, mode })).toMatchObject(spec)
})

test('a restored object gains no zero that the API server would leave out', () => {
  const object = web()
  expect(restoreDeployment({ ...object, spec: held() }, ownerOfFree(object))).toEqual(object)
})

test.each<readonly [string, Partial<DeploymentSpec>, Partial<DeploymentSpec>]>([
  ['an amount', rolling('7%', '010%'), rolling('7%', '25%')],
  ['an amount that equals the projected one', rolling('30%', '10%'), rolling('30%', '10%')],
  ['a number', rolling('030%', 4), rolling('25%', 4)],
  ['minReadySeconds', { minReadySeconds: 9 }, { minReadySeconds: 9 }],
  ['no minReadySeconds', { minReadySeconds: 0 }, { minReadySeconds: 0 }],
  ['a deadline', { progressDeadlineSeconds: 60 }, { progressDeadlineSeconds: 60 }],
  ['a pause', { paused: true }, { paused: true }],
  [
    'another strategy',
    { strategy: { type: 'Recreate' } },
    { strategy: { type: 'Recreate', rollingUpdate: null } },
  ],
])('an owner who writes %s while it is held wants that', (_, edit, wanted) => {
  const incoming = web({ ...held(), ...edit })
  expect(ownerOfHeld(incoming, hold, recorded())).toEqual({ ...recorded().owner, ...wanted })
})

test('values of a hold are no wish, marked ones not even of an older hold', () => {
  const older = held({}, { ...hold, budget: '10%', surge: '0%' })
  expect(ownerOfHeld(web(older), hold, recorded())).toEqual(recorded().owner)
})

test('nor are plain ones, which nothing else tells from an owner’s', () => {
  const plain = { ...hold, budget: 2, surge: 1 }
  expect(ownerOfHeld(web(held({}, plain)), plain, recorded())).toEqual(recorded().owner)
})

test('an edit that leaves no room takes the other amount of the request as well', () => {
  const spec = { ...held(rolling(1, 0), { ...hold, surge: 1 }), ...rolling(0, 1) }
  const owner = ownerOfHeld(web(spec), { ...hold, surge: 1 }, recorded(rolling(1, 0)))
  expect(owner).toMatchObject(rolling(0, 1))
})

test('a copy of a held workload says nothing about its owner: what stood there does', () => {
  const before = web({ ...rolling(2, 0), minReadySeconds: 4 })
  expect(ownerOfFree(web(held()), before)).toEqual(ownerOfFree(before))
  expect(ownerOfFree(web(held()))).toEqual(ownerOfFree(web()))
})

test('no deadline at all is an owner’s wish, unless it comes with an armed hold', () => {
  expect(ownerOfFree(web({ progressDeadlineSeconds: 2147483647 })).progressDeadlineSeconds).toBe(
    2147483647,
  )
  expect(ownerOfFree(web(held())).progressDeadlineSeconds).toBe(600)
})

test.each<readonly [Partial<DeploymentSpec>, RegExp]>([
  [rolling(0, 0), /both are 0/],
  [rolling('0%', '0%'), /both are 0/],
  [rolling('101%', 1), /maxUnavailable/],
  [rolling('many', 1), /maxUnavailable/],
  [rolling(1, 'x'), /maxSurge/],
  [{ minReadySeconds: -1 }, /minReadySeconds/],
  [{ minReadySeconds: 600 }, /progressDeadlineSeconds/],
  [{ strategy: { type: 'Never' } }, /strategy/],
])('%j is not valid', (spec, why) => {
  expect(invalidOwner(ownerOfFree(web(spec)))).toMatch(why)
})

test.each([
  rolling(0, 1),
  rolling('0%', '150%'),
  rolling(900, 0),
  { strategy: { type: 'Recreate' } },
])('%j is valid', spec => expect(invalidOwner(ownerOfFree(web(spec)))).toBeUndefined())

test('fields and hold agree, or not', () => {
  const { owner } = recorded()
  expect(isProjected(held(), hold, owner)).toBe(true)
  expect(isProjected(held(), { ...hold, budget: '31%' }, owner)).toBe(false)
  expect(isProjected(web().spec, hold, owner)).toBe(false)
  expect(isProjected(web().spec, { ...hold, mode: 'released' }, owner)).toBe(true)
})
