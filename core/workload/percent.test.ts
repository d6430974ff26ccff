import fc from 'fast-check'
import { expect, test } from 'vitest'

import { budgetFor, budgetPods, mark, marked, promised, surgeFor, surgePods } from './percent.ts'

const sizes = fc.integer({ min: 1, max: 5000 })
const within = sizes.chain(replicas =>
  fc.record({ replicas: fc.constant(replicas), n: fc.integer({ min: 0, max: replicas }) }),
)

test.each([
  { out: '25%', beside: '25%', of: 10, u: 2, s: 3 },
  { out: '25%', beside: '25%', of: 1, u: 0, s: 1 },
  { out: '25%', beside: '25%', of: 3, u: 0, s: 1 },
  { out: 0, beside: 1, of: 10, u: 0, s: 1 },
  { out: 1, beside: 0, of: 10, u: 1, s: 0 },
  { out: 7, beside: 0, of: 3, u: 3, s: 0 },
  { out: '1%', beside: '0%', of: 10, u: 1, s: 0 },
  { out: '50%', beside: 0, of: 1, u: 1, s: 0 },
  { out: '100%', beside: '100%', of: 4, u: 4, s: 4 },
])('maxUnavailable $out and maxSurge $beside of $of pods are $u and $s', row => {
  const { out, beside, of, u, s } = row
  expect(promised(out, beside, of)).toEqual({ maxUnavailable: u, maxSurge: s })
})

test.each([
  [1, 10, '10%'],
  [3, 10, '30%'],
  [1, 3, '34%'],
  [2, 3, '67%'],
  [1, 1, '100%'],
  [0, 10, '0%'],
  [50, 100, '50%'],
  [1, 250, 1],
  [5, 250, '2%'],
  [0, 0, '100%'],
])('%i of %i pods are a budget of %j', (n, replicas, budget) => {
  expect(budgetFor(n, replicas)).toBe(budget)
})

test.each([
  { k: 1, of: 10, owner: '25%', surge: '1%' },
  { k: 3, of: 10, owner: '25%', surge: '21%' },
  { k: 1, of: 10, owner: 1, surge: 1 },
  { k: 3, of: 10, owner: 5, surge: 3 },
  { k: 0, of: 10, owner: 5, surge: '0%' },
  { k: 1, of: 250, owner: '25%', surge: 1 },
  { k: 5, of: 250, owner: '25%', surge: '2%' },
])('$k pods beside $of, where the owner wrote $owner, are a surge of $surge', row => {
  expect(surgeFor(row.k, row.of, row.owner)).toBe(row.surge)
})

test('a budget lets exactly as many pods be new as it was made for', () => {
  fc.assert(
    fc.property(within, ({ n, replicas }) => {
      expect(budgetPods(budgetFor(n, replicas), replicas)).toBe(n)
    }),
  )
})

test('a budget is a percent up to 100 pods, so that it stays right when somebody scales', () => {
  fc.assert(
    fc.property(within, ({ n, replicas }) => {
      fc.pre(replicas <= 100)
      expect(budgetFor(n, replicas)).toMatch(/^\d+%$/)
    }),
  )
})

test('a surge lets exactly as many pods run beside as it was made for', () => {
  fc.assert(
    fc.property(within, fc.constantFrom(0, 1, '25%'), ({ n, replicas }, owner) => {
      expect(surgePods(surgeFor(n, replicas, owner), replicas)).toBe(n)
    }),
  )
})

test('a budget never lets more pods be new than there are', () => {
  fc.assert(
    fc.property(sizes, fc.nat(10_000), (replicas, pods) => {
      expect(budgetPods(pods, replicas)).toBeLessThanOrEqual(replicas)
      expect(budgetPods(`${pods}%`, replicas)).toBeLessThanOrEqual(replicas)
    }),
  )
})

test('a percent of ours is known by the zero that nobody writes', () => {
  expect(mark('30%')).toBe('030%')
  expect(mark('0%')).toBe('00%')
  expect(mark(3)).toBe(3)
  expect(['030%', '00%', '0100%'].every(marked)).toBe(true)
  expect(['30%', '0%', '100%', 3, 0, '0', undefined, null].some(marked)).toBe(false)
})
