// An abort while three versions run: of every size and at every stage, all pods come back to the stable
// revision, and on the way no Ready pod too many is missing.

import { expect, test } from 'vitest'

import type { IntOrPercent } from '#api/kubernetes.ts'
import { promised } from '#core/workload/percent.ts'
import { keptReady } from '../properties/deployments.ts'
import { syncDeployment } from '../world/deployment-controller.ts'
import { abort, edit } from '../world/people.ts'
import { breakPods } from '../world/replica-set-controller.ts'
import { newWorld, play, settle, sight } from '../world/play.ts'
import { replicasOf, setsIn, sum } from '../world/world.ts'

const strategies: readonly (readonly [IntOrPercent, IntOrPercent])[] = [
  [0, 1],
  [1, 0],
  [0, 2],
  ['25%', '25%'],
]

test.each(strategies)(
  'maxUnavailable %s, maxSurge %s',
  (maxUnavailable, maxSurge) => {
    for (const stage of stages()) {
      const { replicas, pods, third, syncs } = stage
      const strategy = { type: 'RollingUpdate', rollingUpdate: { maxUnavailable, maxSurge } }
      const steps = [{ replicas: pods }, { replicas }]
      const world = newWorld({ replicas, spec: { strategy }, steps })
      play(world, edit('v2'))
      edit(third)(world)
      for (let i = 0; i < syncs; i++) syncDeployment(world)
      abort()(world)

      const own = promised(maxUnavailable, maxSurge, replicas)
      const said = JSON.stringify(stage)
      settle(world, () => {
        expect(keptReady(world), said).toBeGreaterThanOrEqual(replicas - own.maxUnavailable)
        const total = sum(setsIn(world).map(replicasOf))
        expect(total, said).toBeLessThanOrEqual(replicas + Math.max(own.maxSurge, 1) + 2)
      })
      expect(sight(world), said).toBe(`Progressing 1 BeforeStepUpgrade Aborted: ${replicas} v1`)
    }
  },
  60_000,
)

test.each(strategies)(
  'broken pods between: maxUnavailable %s, maxSurge %s',
  (maxUnavailable, maxSurge) => {
    const strategy = { type: 'RollingUpdate', rollingUpdate: { maxUnavailable, maxSurge } }
    for (const third of ['v3', 'broken']) {
      const world = newWorld({ replicas: 10, spec: { strategy }, steps: [{ replicas: '60%' }] })
      play(world, edit('v2'))
      breakPods(world, 'v2')
      play(world, edit(third))
      expect(play(world, abort()), third).toMatch(/Aborted: 10 v1$/)
    }
  },
)

function* stages() {
  const thirds = ['v3', 'broken'].flatMap(third => [0, 1].map(syncs => ({ third, syncs })))
  for (let replicas = 1; replicas <= 7; replicas++) {
    for (let pods = 1; pods <= replicas; pods++) {
      for (const third of thirds) yield { replicas, pods, ...third }
    }
  }
}
