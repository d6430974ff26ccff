// How many of a number of requests go to new pods, where each goes there with the same chance.

/** Of 1,000 samples one lies outside, as many above as below. */
const OUTSIDE = 0.001

/** The fewest and the most of `count` in the binomial 99.9% interval around a chance of `percent`. */
export function interval(count: number, percent: number): readonly [number, number] {
  const chance = percent / 100
  if (chance <= 0) return [0, 0]
  if (chance >= 1) return [count, count]
  // In logarithms, since factors of hundreds of requests are out of every number's range.
  let log = count * Math.log(1 - chance)
  let below = 0
  let least = 0
  for (let hits = 0; hits <= count; hits++) {
    const up = below + Math.exp(log)
    if (up < OUTSIDE / 2) least = hits + 1
    if (up > 1 - OUTSIDE / 2) return [least, hits]
    below = up
    log += Math.log((count - hits) / (hits + 1)) + Math.log(chance / (1 - chance))
  }
  return [least, count]
}
