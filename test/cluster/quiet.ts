// Whether the controller has nothing more to do, as a fact and not for a while: its queue is empty, it
// is woken for each workload, it has decided again about each, and it has written nothing.

import type { Child } from '../../dev/child.ts'
import { until } from '../../dev/until.ts'

/** What a controller says of itself. */
interface Pulse {
  /** Keys that are to run, wait for their time, or run. */
  readonly busy: number
  readonly decisions: number
  readonly writes: number
}

const patienceMs = 180_000

/**
 * Waits until the queue is empty, calls `wake`, which must wake that many workloads, waits until as
 * many decisions were made, and gives how many writes came of them.
 */
export async function writesWhenWoken(
  controller: Child,
  workloads: number,
  wake: () => Promise<unknown>,
): Promise<number> {
  const idle = async () => (await pulseOf(controller)).busy === 0
  await until('the queue of the controller does not get empty', idle, patienceMs)
  const before = await pulseOf(controller)
  await wake()
  const decided = async () => {
    const { busy, decisions } = await pulseOf(controller)
    return busy === 0 && decisions >= before.decisions + workloads
  }
  await until('the controller does not decide again', decided, patienceMs)
  return (await pulseOf(controller)).writes - before.writes
}

/** How often a controller has decided. */
export async function decisionsOf(controller: Child): Promise<number> {
  return (await pulseOf(controller)).decisions
}

async function pulseOf({ ready }: Child): Promise<Pulse> {
  const answer = await fetch(`http://127.0.0.1:${String(ready['probesPort'])}/metrics`)
  const lines = (await answer.text()).split('\n')
  const sum = (name: string) =>
    lines
      .filter(line => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
      .reduce((total, line) => total + Number(line.split(' ').at(-1)), 0)
  const queue = ['depth', 'waiting', 'running'].map(state =>
    sum(`sluice_controller_queue_${state}`),
  )
  return {
    busy: queue.reduce((a, b) => a + b, 0),
    decisions: sum('sluice_controller_decision_seconds_count'),
    writes: sum('sluice_controller_writes_total'),
  }
}
