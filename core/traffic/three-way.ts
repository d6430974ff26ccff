// What an owner wants, where his value was replaced by ours and somebody then wrote to that: each change that was
// made to ours is made to his, at the place where it belongs. What is new in ours alone goes.

import { equalJson } from '../equal.ts'
import { isObject } from '../members.ts'
import type { Json } from './model.ts'

type Members = Readonly<Record<string, unknown>>

/** `incoming` was written over `ours`, which was made of `owner`. */
export function threeWay(incoming: Json, ours: Json, owner: Json): Json {
  if (equalJson(incoming, ours)) return owner
  if (equalJson(incoming, owner)) return owner
  const all = [incoming, ours, owner]
  if (all.every(Array.isArray)) return lists(incoming as Json[], ours as Json[], owner as Json[])
  if (!all.every(isObject)) return incoming
  return members(incoming as Members, ours as Members, owner as Members)
}

function members(incoming: Members, ours: Members, owner: Members): Members {
  const keys = [...new Set([...Object.keys(incoming), ...Object.keys(owner)])]
  const kept = keys.map(key => [key, threeWay(incoming[key], ours[key], owner[key])] as const)
  return Object.fromEntries(kept.filter(([, value]) => value !== undefined))
}

function lists(incoming: readonly Json[], ours: readonly Json[], owner: readonly Json[]): Json {
  const made = pairs(ours, owner, isAlike, true)
  // Who writes what the owner had writes that, and no edit of ours.
  const isOwners = (item: Json, at: number) => made.has(at) && equalJson(item, owner[made.get(at)!])
  const theirs = pairs(
    incoming,
    ours,
    (item, other, at) => isOwners(item, at) || isAlike(item, other),
  )
  const written = new Set(made.values())
  const result: Json[] = []
  let next = 0
  // What ours leaves out comes back before what stood behind it.
  const leftOut = (until: number) => {
    for (; next < until; next++) if (!written.has(next)) result.push(owner[next])
  }
  const isBack = (item: Json) => (each: Json, at: number) =>
    at >= next && !written.has(at) && equalJson(each, item)
  incoming.forEach((item, index) => {
    const inOurs = theirs.get(index)
    const at = inOurs === undefined ? owner.findIndex(isBack(item)) : (made.get(inOurs) ?? -1)
    if (at >= 0) {
      leftOut(at)
      next = Math.max(next, at + 1)
    }
    if (inOurs === undefined) result.push(item)
    else if (at >= 0) result.push(threeWay(item, ours[inOurs], owner[at]))
  })
  leftOut(owner.length)
  return result
}

/** Whether an item is what was made of the other one, which stands at that place. */
type Alike = (item: Json, other: Json, at: number) => boolean

/**
 * Which item of the second list one of the first is: the same one, else one that is alike; `inPlace`: else those
 * of the same place, where there are as many.
 */
function pairs(
  first: readonly Json[],
  second: readonly Json[],
  alike: Alike,
  inPlace = false,
): ReadonlyMap<number, number> {
  const found = new Map<number, number>()
  let [i, j] = [0, 0]
  for (const [same, as] of [...common(first, second), [first.length, second.length] as const]) {
    pairAlike(found, { first, second, from: [i, j], to: [same, as] }, alike)
    if (inPlace && same - i === as - j) {
      for (let at = 0; at < same - i; at++) found.set(i + at, j + at)
    }
    if (same < first.length) found.set(same, as)
    ;[i, j] = [same + 1, as + 1]
  }
  return found
}

interface Gap {
  readonly first: readonly Json[]
  readonly second: readonly Json[]
  readonly from: readonly [number, number]
  readonly to: readonly [number, number]
}

/** Between two that are the same. */
function pairAlike(
  found: Map<number, number>,
  { first, second, from, to }: Gap,
  alike: Alike,
): void {
  let next = from[1]
  for (let at = from[0]; at < to[0]; at++) {
    const place = second.findIndex((other, index) => {
      return index >= next && index < to[1] && alike(first[at], other, index)
    })
    if (place === -1) continue
    found.set(at, place)
    next = place + 1
  }
}

/** Some member says the same, or lists something of which one does. */
function isAlike(a: Json, b: Json): boolean {
  return sharesMember(a, b, (one, other) => {
    if (equalJson(one, other)) return true
    if (!Array.isArray(one) || !Array.isArray(other)) return false
    return one.some(each => other.some(item => sharesMember(each, item, equalJson)))
  })
}

function sharesMember(a: Json, b: Json, same: (one: Json, other: Json) => boolean): boolean {
  if (!isObject(a) || !isObject(b)) return false
  return Object.keys(a).some(key => key in b && same(a[key], b[key]))
}

/** The longest common part of both, as pairs of places. */
function common(
  first: readonly Json[],
  second: readonly Json[],
): readonly (readonly [number, number])[] {
  const rows = Array.from({ length: first.length + 1 }, () =>
    Array<number>(second.length + 1).fill(0),
  )
  const longest = (i: number, j: number) => rows[i]![j]!
  for (let i = first.length - 1; i >= 0; i--) {
    for (let j = second.length - 1; j >= 0; j--) {
      rows[i]![j] = equalJson(first[i], second[j])
        ? longest(i + 1, j + 1) + 1
        : Math.max(longest(i + 1, j), longest(i, j + 1))
    }
  }
  const found: (readonly [number, number])[] = []
  let [i, j] = [0, 0]
  while (i < first.length && j < second.length) {
    if (equalJson(first[i], second[j])) found.push([i++, j++])
    else if (longest(i + 1, j) >= longest(i, j + 1)) i++
    else j++
  }
  return found
}
