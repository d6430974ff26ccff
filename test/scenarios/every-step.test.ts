// A workload of any kind in any of its steps: back, on to another version, elsewhere in the plan, larger and
// smaller, and out of our hands.

import { describe, expect, test } from 'vitest'

import * as people from '../world/people.ts'
import { newWorld, play } from '../world/play.ts'
import type { World, WorldKind } from '../world/world.ts'
import { everyKind, onNodes } from './every-kind.ts'

const { abort, approve, backInSteps, deleteRollout, disable, edit, freeze, jump, plan, scale } =
  people

const steps = [{ replicas: '25%' }, { replicas: '50%' }, { replicas: '75%' }, { replicas: '100%' }]

/** Four pods, as many of them new as the step says. */
function at(step: number, kind: WorldKind, spec: object): World {
  const world = newWorld({ kind, replicas: 4, spec, steps })
  const lines = [edit('v2'), approve, approve].slice(0, step).map(each => play(world, each))
  expect(lines.at(-1)).toMatch(standing(step))
  return world
}

function standing(step: number, pods = 4): RegExp {
  const updated = (pods * step) / 4
  return new RegExp(` ${step} StepPaused: ${pods - updated} v1 ${updated} v2$`)
}

describe.each(everyKind)('%s', (_, kind, spec) => {
  test.each([1, 2, 3])('goes back from step %d, by the old template', step => {
    const world = at(step, kind, spec)
    expect(play(world, edit('v1'))).toMatch(/ReleaseRolledBack.* -> Healthy: 4 v1$/)
    expect(play(world, edit('v2'))).toMatch(standing(1))
  })

  test.each([1, 2, 3])('goes back from step %d as it is asked: by steps, or at once', step => {
    const world = at(step, kind, spec)
    backInSteps(true)(world)
    const back = play(world, edit('v1'))
    if (kind.adapter.rollsBackInSteps) {
      const left = step - Math.ceil(step / 4)
      const pods = left > 0 ? `${4 - left} v1 ${left} v2` : '4 v1'
      expect(back).toMatch(new RegExp(`1 StepPaused: ${pods}$`))
      play(world, jump(4))
    }
    expect(play(world, people.pass(0))).toMatch(/-> Healthy: 4 v1$/)
  })

  test.each([1, 2, 3])('is aborted in step %d; or nobody else leaves, and that is told', step => {
    const world = at(step, kind, spec)
    const line = play(world, abort())
    if (onNodes.includes(kind)) expect(line).toMatch(new RegExp(`: ${4 - step} v1 ${step} v2$`))
    else expect(line).toMatch(/ 1 BeforeStepUpgrade Aborted: 4 v1$/)
    expect(play(world, edit('v1'))).toMatch(/-> Healthy: 4 v1$/)
  })

  test.each([1, 2, 3])('begins again in step %d, with a third version', step => {
    const world = at(step, kind, spec)
    expect(play(world, edit('v3'))).toMatch(/^ReleaseRestarted.* 1 StepPaused: .*\b1 v3$/)
    expect(play(world, approve)).toMatch(/ 2 StepPaused: .*\b2 v3$/)
  })

  test.each([1, 2, 3])('is scaled in step %d', step => {
    const world = at(step, kind, spec)
    if (onNodes.includes(kind)) {
      expect(play(world, scale(5))).toMatch(new RegExp(`: ${4 - step} v1 ${step + 1} v2$`))
      return
    }
    expect(play(world, scale(8))).toMatch(standing(step, 8))
    expect(play(world, scale(4))).toMatch(standing(step))
  })

  test.each([1, 2, 3])(
    'goes from step %d where somebody wants it, and not while it is frozen',
    step => {
      const world = at(step, kind, spec)
      const to = ((step + 1) % 3) + 1
      play(world, freeze(true))
      expect(play(world, jump(to))).toMatch(new RegExp(`: ${4 - step} v1 ${step} v2$`))
      const line = play(world, freeze(false))
      // Nobody who is new goes back for a step.
      const updated = Math.max(step, to)
      expect(line).toMatch(new RegExp(` ${to} StepPaused: ${4 - updated} v1 ${updated} v2$`))
      const last = to === 3 ? approve : jump(4)
      expect(play(world, last)).toMatch(/ReleaseCompleted -> Healthy: 4 v2$/)
    },
  )

  test.each([1, 2, 3])('goes on from step %d by another plan', step => {
    const world = at(step, kind, spec)
    const more = steps.map((each, i) => (i < step - 1 || i === 3 ? each : { replicas: '80%' }))
    expect(play(world, plan(more))).toMatch(new RegExp(` ${step} StepPaused: 1 v1 3 v2$`))
  })

  test.each([1, 2, 3])('is let go in step %d, without its Rollout or with a disabled one', step => {
    expect(play(at(step, kind, spec), deleteRollout)).toMatch(/-> no Rollout: 4 v2$/)
    expect(play(at(step, kind, spec), disable(true))).toMatch(/-> Disabled: 4 v2$/)
  })
})
