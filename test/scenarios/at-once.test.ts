// What nobody has to wait for: tools of Kruise Rollouts give it some seconds, and no clock of ours is in
// the way.

import { expect, test } from 'vitest'

import { disable, edit, plan } from '../world/people.ts'
import { newWorld, play } from '../world/play.ts'

test('a Rollout is Healthy, and a disabled one has given the workload back, in no time', () => {
  const world = newWorld({ steps: false })
  const atOnce = (line: string, happening: Parameters<typeof play>[1]) => {
    const before = world.now
    expect(play(world, happening)).toBe(line)
    expect(world.now).toBe(before)
  }
  const steps = [{ replicas: 1 }, { replicas: '100%' }]
  atOnce('guard v1 -> Healthy: 10 v1', plan(steps))
  play(world, edit('v2'))
  atOnce('Released, released, guard -> Disabled: 10 v2', disable(true))
  atOnce('guard v2 -> Healthy: 10 v2', disable(false))
})
