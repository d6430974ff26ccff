// The watches of the kinds are not of one age: what one kind tells may be older than what another does.

import { expect, test } from 'vitest'

import { catchUp, reconcile } from '../world/controller.ts'
import { syncDeployment } from '../world/deployment-controller.ts'
import { edit } from '../world/people.ts'
import { newWorld, settle, sight } from '../world/play.ts'
import { makeReady, syncReplicaSets } from '../world/replica-set-controller.ts'
import type { World } from '../world/world.ts'

/** The controller-manager and the nodes act, and the controller learns of all kinds but Deployments. */
function others(world: World): void {
  for (let turn = 0; turn < 3; turn++) {
    syncDeployment(world)
    syncReplicaSets(world)
    makeReady(world)
  }
  catchUp(world, ['sets', 'pods', 'rollouts'])
}

test('an edit at rest that is not told yet: its ReplicaSet is left as it is', () => {
  const world = newWorld()
  edit('v2')(world)
  others(world)
  world.did = []
  reconcile(world)
  expect(world.did).toEqual([])
  settle(world)
  expect(sight(world)).toBe('Progressing 1 StepPaused: 9 v1 1 v2')
})

test('a controller that finds the workload as it was before the release waits for the news', () => {
  const world = newWorld()
  const { workloads } = world
  edit('v2')(world)
  settle(world)
  const { rollouts } = world
  world.did = []
  world.cache = { ...world.cache, workloads }
  reconcile(world)
  expect(world.did).toEqual([])
  expect(world.rollouts).toEqual(rollouts)
  settle(world)
  expect(sight(world)).toBe('Progressing 1 StepPaused: 9 v1 1 v2')
})
