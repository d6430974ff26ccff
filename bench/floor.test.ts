// Targets in time are judged beside the plain roll-outs of the same run, and every one of them is.

import { expect, test } from 'vitest'

import { FLOOR_MS, counted } from './floor.ts'
import type { Limit } from './floor.ts'
import { rows } from './rows.ts'
import { spread } from './samples.ts'
import type { Spread } from './samples.ts'

const halfAsFast = spread([2 * FLOOR_MS])
const asFast = spread([FLOOR_MS])
const twiceAsFast = spread([FLOOR_MS / 2])

function limit(time: number, most: number): Limit {
  return { name: 'p50 ', time, most, unit: 'ms' }
}

test('on a machine half as fast a time counts for half', () => {
  expect(counted(halfAsFast, [limit(120, 60)]).met).toBe(true)
  expect(counted(halfAsFast, [limit(121, 60)]).met).toBe(false)
})

test('on a machine twice as fast it counts as measured', () => {
  expect(counted(twiceAsFast, [limit(60, 60)]).met).toBe(true)
  expect(counted(twiceAsFast, [limit(61, 60)]).met).toBe(false)
})

test('the median of the roll-outs is the floor, not their slowest', () => {
  const once = spread([FLOOR_MS, FLOOR_MS, 10 * FLOOR_MS])
  expect(counted(once, [limit(61, 60)]).met).toBe(false)
})

test('each time of a row is judged', () => {
  expect(counted(halfAsFast, [limit(100, 60), limit(700, 300)]).met).toBe(false)
})

test('without a floor nothing is met', () => {
  expect(counted(spread([]), [limit(1, 60)]).met).toBe(false)
})

test('the floor is told, and what the times count beside it', () => {
  expect(counted(halfAsFast, [limit(100, 60), { ...limit(250, 300), name: 'p99 ' }]).words).toBe(
    'beside a plain roll-out of p50 620 ms, p99 620 ms counts as p50 50 ms, p99 125 ms',
  )
  expect(counted(twiceAsFast, [limit(50, 60)]).words).toBe(
    'beside a plain roll-out of p50 155 ms, p99 155 ms counts as measured',
  )
})

/** A family's figures of a run in which each time is half as much again as it may be. */
const late: Readonly<Record<string, (plainRollOut: Spread) => unknown>> = {
  approval: plainRollOut => ({ approval: spread([90]), plainRollOut }),
  cpu: plainRollOut => ({ cpu: spread([0.3]), cpuMean: 0.3, plainRollOut }),
  'held-edit': plainRollOut => {
    const beside = { ours: spread([12.5]), plain: spread([5]), plainRollOut }
    return { webhook: beside, withPolicy: beside }
  },
  burst: plainRollOut => ({ seconds: 9, writes: 500, plainRollOut }),
  'traffic-step': plainRollOut => ({ latency: spread([150]), graceMs: 0, plainRollOut }),
  'traffic-step-ingress': plainRollOut => ({ latency: spread([150]), graceMs: 0, plainRollOut }),
  'traffic-step-grace': plainRollOut => ({ latency: spread([3150]), graceMs: 3000, plainRollOut }),
  'traffic-script': plainRollOut => ({ call: spread([3]), plainRollOut }),
}

test('every row with a target in time is judged beside the floor', () => {
  const inTime = rows.filter(({ target }) => /\d m?s\b/.test(target)).map(({ name }) => name)
  expect(inTime).toEqual(Object.keys(late))
  for (const name of inTime) {
    const { judge } = rows.find(row => row.name === name)!
    expect(judge(late[name]!(asFast)), name).toMatchObject({ met: false, again: true })
    const slow = judge(late[name]!(halfAsFast))
    expect(slow.met, name).toBe(true)
    expect(slow.ours).toContain('beside a plain roll-out of p50 620 ms')
  }
})

test('a count is the same on every machine', () => {
  const { judge } = rows.find(({ name }) => name === 'burst')!
  const many = { seconds: 1, writes: 501, plainRollOut: halfAsFast }
  expect(judge(many)).toMatchObject({ met: false, again: false })
})
