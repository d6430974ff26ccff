// A Rollout that comes to a workload of any kind moves no pod of it, and neither does a workload that comes
// to its Rollout: whichever is first, the next edit is held and goes out by the steps.

import { describe, expect, test } from 'vitest'

import { kruiseDaemonSetKind } from '../world/kinds.ts'
import { approve, edit, manifest, plan, replace } from '../world/people.ts'
import { newWorld, play } from '../world/play.ts'
import { emptyWorld } from '../world/world.ts'
import type { World } from '../world/world.ts'
import { everyKind } from './every-kind.ts'

const follow = plan([{ replicas: 1 }, { replicas: '50%' }, { replicas: '100%' }])
const podsIn = ({ pods }: World) => [...pods.values()].map(({ metadata }) => metadata.uid)

describe.each(everyKind)('%s', (_, kind, spec) => {
  test('that was there before is guarded as it is, and its first release goes by the steps', () => {
    const world = newWorld({ kind, replicas: 4, spec, steps: false })
    const before = podsIn(world)
    expect(play(world, follow)).toMatch(/^guard.* -> Healthy: 4 v1$/)
    expect(podsIn(world)).toEqual(before)
    releasedBySteps(world)
  })

  test('that its Rollout waits for is guarded as it comes, and its first release goes by the steps', () => {
    const world = emptyWorld(kind)
    expect(play(world, follow)).toBe('nothing -> Initial: no workload')
    const come = (to: World) => {
      replace(manifest('v1', spec, kind))(to)
      kind.resize(to, 4)
    }
    expect(play(world, come)).toMatch(/^guard.* -> Healthy: 4 v1$/)
    releasedBySteps(world)
  })

  test('that is on its way to another version is let go on, and is Initial until it is there', () => {
    const world = newWorld({ kind, replicas: 4, spec, steps: false })
    const [, native] = play(world, edit('broken')).split(': ')
    const before = podsIn(world)
    expect(play(world, follow)).toMatch(new RegExp(`^guard.* -> Initial: ${native}$`))
    expect(podsIn(world)).toEqual(before)
    const back = play(world, edit('v1'))
    // Nobody tells which version a DaemonSet of Kruise ran before: this one is a release like any other.
    if (kind === kruiseDaemonSetKind) {
      expect(back).toMatch(/^ReleaseStarted.* 1 StepPaused: 3 v1 1 broken, 3 ready$/)
      play(world, approve)
      expect(play(world, approve)).toMatch(/-> Healthy: 4 v1$/)
    } else {
      expect(back).toMatch(/-> Healthy: 4 v1$/)
    }
    releasedBySteps(world)
  })
})

function releasedBySteps(world: World): void {
  expect(play(world, edit('v2'))).toMatch(/^ReleaseStarted.* 1 StepPaused: 3 v1 1 v2$/)
  expect(play(world, approve)).toMatch(/ 2 StepPaused: 2 v1 2 v2$/)
  expect(play(world, approve)).toMatch(/ReleaseCompleted -> Healthy: 4 v2$/)
}
