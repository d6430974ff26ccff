// A controller that is killed and starts again at an API server that is behind: what it lists is how
// things stood some writes ago, and its watches bring the rest only after it has decided by that.

import { until } from '../../dev/until.ts'
import { asOf } from './proxied-request.ts'
import type { ProxiedRequest } from './proxied-request.ts'
import { decisionsOf } from './quiet.ts'
import type { Disturbance, Run } from './release-run.ts'
import { watchedKinds } from './watch-faults.ts'

/** From which write back to the state before which other one; both are counted from 1. */
export interface Journey {
  readonly at: number
  readonly back: number
}

/** Kills the controller before a write and starts it in the past. */
export function travels({ at, back }: Journey): (run: Run) => Disturbance {
  return ({ scene, controller, writeOf }) => {
    let past = scene.chronicle.now().version
    let times = 0
    let arrived: Promise<void> | undefined
    const isTold = ({ resource }: ProxiedRequest) =>
      (watchedKinds as readonly string[]).includes(resource)
    const kill = async (die: () => Promise<void>) => {
      await die()
      await until('a controller in the past decides nothing', async () => {
        return (await decisionsOf(await controller.current())) > 0
      })
    }
    return {
      times: () => times,
      fault(request) {
        const write = writeOf(request)
        if (write === back) past = scene.chronicle.now().version
        if (write === at && times === 0) {
          times += 1
          const { kill: die } = controller.dying()
          return {
            type: 'cut',
            meanwhile() {
              arrived = kill(die).finally(() => (arrived = undefined))
              // Who writes is gone: there is nobody to answer.
            },
          }
        }
        if (!arrived || !isTold(request)) return undefined
        const { verb, path } = request
        if (verb === 'list') return { type: 'instead', path: asOf(path, past) }
        return verb === 'watch' ? { type: 'wait', meanwhile: () => arrived } : undefined
      },
    }
  }
}
