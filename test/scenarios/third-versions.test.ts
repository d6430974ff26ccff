// Pods of a version that another edit has replaced serve, though nobody waits for them: that is told.

import { expect, test } from 'vitest'

import { daemonSetKind, statefulSetKind } from '../world/kinds.ts'
import { catchUp, reconcile } from '../world/controller.ts'
import { syncDeployment } from '../world/deployment-controller.ts'
import { deploymentKind } from '../world/deployment-kind.ts'
import { approve, edit } from '../world/people.ts'
import { newWorld, play, pods } from '../world/play.ts'
import { rolloutIn } from '../world/world.ts'
import type { World } from '../world/world.ts'

const updateStrategy = { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } }

const message = (world: World) => rolloutIn(world)!.status!.message!

test.each([
  ['Deployment', deploymentKind],
  ['StatefulSet', statefulSetKind],
  ['DaemonSet', daemonSetKind],
])('of a %s the message begins with how many there are, as long as there are any', (_, kind) => {
  const world = newWorld({ kind, ...(kind === daemonSetKind && { spec: { updateStrategy } }) })
  for (const happening of [edit('v2'), approve]) play(world, happening)
  expect(message(world)).toMatch(/^step 2 of 3 reached/)
  play(world, edit('v3'))
  const between = /(\d) v2/.exec(pods(world))![1]
  expect(message(world)).toMatch(
    new RegExp(`^${between} pods are of a version between, neither stable nor new; step 1 of 3`),
  )
  for (const happening of [approve, approve]) play(world, happening)
  expect(message(world)).toMatch(/^release \S+ is complete$/)
})

test('on the way back nobody is of a version between: those that leave are waited for', () => {
  const world = newWorld()
  for (const happening of [edit('v2'), approve]) play(world, happening)
  edit('v1')(world)
  for (let i = 0; i < 3; i++) {
    syncDeployment(world)
    catchUp(world)
    reconcile(world)
    expect(message(world)).not.toContain('of a version between')
  }
  expect(pods(world)).toContain('v2')
})
