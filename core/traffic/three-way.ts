// What an owner wants, where his value was replaced by ours and somebody then wrote to that: each change that was
// made to ours is made to his, at the place where it belongs. What is new in ours alone goes.

import { canonical } from '../digest.ts'
import { equalJson } from '../equal.ts'
import { isObject } from '../members.ts'
import type { Json } from './model.ts'

type Members = Readonly<Record<string, unknown>>

/**
 * Comparisons of list items, for one value: lists of a thousand that differ from beginning to end are less. What
 * takes more is no edit of single items, and is taken as it was written.
 */
const MOST_COMPARED = 4_000_000

interface Work {
  left: number
}

/** `incoming` was written over `ours`, which was made of `owner`. */
export function threeWay(incoming: Json, ours: Json, owner: Json): Json {
  return merged(incoming, ours, owner, { left: MOST_COMPARED })
}

function merged(incoming: Json, ours: Json, owner: Json, work: Work): Json {
  if (equalJson(incoming, ours)) return owner
  if (equalJson(incoming, owner)) return owner
  const all = [incoming, ours, owner]
  if (all.every(Array.isArray)) {
    const [now, was, own] = all.map(each => new Items(each as Json[])) as [Items, Items, Items]
    return lists(now, was, own, work)
  }
  if (!all.every(isObject)) return incoming
  return members(incoming as Members, ours as Members, owner as Members, work)
}

function members(incoming: Members, ours: Members, owner: Members, work: Work): Members {
  const keys = [...new Set([...Object.keys(incoming), ...Object.keys(owner)])]
  const kept = keys.map(key => [key, merged(incoming[key], ours[key], owner[key], work)] as const)
  return Object.fromEntries(kept.filter(([, value]) => value !== undefined))
}

function lists(incoming: Items, ours: Items, owner: Items, work: Work): Json {
  work.left -= comparisons(ours, owner) + comparisons(incoming, ours)
  if (work.left < 0) return incoming.all
  const made = pairs(ours, owner, true)
  // Who writes what the owner had writes that, and no edit of ours.
  const theirs = pairs(incoming.marked(incoming), ours.marked(owner, made))
  work.left -= (incoming.all.length - theirs.size) * owner.all.length
  if (work.left < 0) return incoming.all
  const written = new Set(made.values())
  const result: Json[] = []
  let next = 0
  // What ours leaves out comes back before what stood behind it.
  const leftOut = (until: number) => {
    for (; next < until; next++) if (!written.has(next)) result.push(owner.all[next])
  }
  const isBack = (text: string) => (each: string, at: number) =>
    at >= next && !written.has(at) && each === text
  incoming.all.forEach((item, index) => {
    const inOurs = theirs.get(index)
    const text = incoming.texts[index]!
    const at = inOurs === undefined ? owner.texts.findIndex(isBack(text)) : (made.get(inOurs) ?? -1)
    if (at >= 0) {
      leftOut(at)
      next = Math.max(next, at + 1)
    }
    if (inOurs === undefined) result.push(item)
    else if (at >= 0) result.push(merged(item, ours.all[inOurs], owner.all[at], work))
  })
  leftOut(owner.all.length)
  return result
}

/** A list, and by what its items are compared, each computed once. */
class Items {
  readonly all: readonly Json[]
  /** Equal ones have the same. */
  readonly texts: readonly string[]
  readonly #marks: (at: number) => Iterable<string>

  constructor(
    all: readonly Json[],
    texts = all.map(canonical),
    marks: (at: number) => Iterable<string> = at => marksOf(all[at]),
  ) {
    this.all = all
    this.texts = texts
    this.#marks = marks
  }

  /** Those that are alike have one in common. */
  marks(at: number): Iterable<string> {
    return this.#marks(at)
  }

  /** Each is alike to whatever equals the item of the other list that it is paired with. */
  marked({ texts }: Items, by?: ReadonlyMap<number, number>): Items {
    const { all } = this
    return new Items(all, [...this.texts], function* marks(at) {
      yield* marksOf(all[at])
      const text = texts[by ? (by.get(at) ?? -1) : at]
      if (text !== undefined) yield text
    })
  }
}

/** What its members say, and what those say that they list. */
function* marksOf(item: Json): Iterable<string> {
  if (!isObject(item)) return
  for (const [key, value] of Object.entries(item)) {
    yield canonical([key, value])
    for (const each of Array.isArray(value) ? value : []) {
      if (!isObject(each)) continue
      for (const [inner, said] of Object.entries(each)) yield canonical([key, inner, said])
    }
  }
}

/**
 * Which item of the second list one of the first is: the same one, else one that is alike; `inPlace`: else those
 * of the same place, where there are as many.
 */
function pairs(first: Items, second: Items, inPlace = false): ReadonlyMap<number, number> {
  const found = new Map<number, number>()
  const end = [first.all.length, second.all.length] as const
  let [i, j] = [0, 0]
  for (const [same, as] of [...common(first.texts, second.texts), end]) {
    pairAlike(found, { first, second, from: [i, j], to: [same, as] })
    if (inPlace && same - i === as - j) {
      for (let at = 0; at < same - i; at++) found.set(i + at, j + at)
    }
    if (same < end[0]) found.set(same, as)
    ;[i, j] = [same + 1, as + 1]
  }
  return found
}

interface Gap {
  readonly first: Items
  readonly second: Items
  readonly from: readonly [number, number]
  readonly to: readonly [number, number]
}

/** Between two that are the same. */
function pairAlike(found: Map<number, number>, { first, second, from, to }: Gap): void {
  const places = new Map<string, number[]>()
  for (let at = from[1]; at < to[1]; at++) {
    for (const mark of second.marks(at)) {
      const known = places.get(mark)
      if (known) known.push(at)
      else places.set(mark, [at])
    }
  }
  let next = from[1]
  for (let at = from[0]; at < to[0]; at++) {
    let place = Infinity
    for (const mark of first.marks(at)) {
      place = Math.min(place, places.get(mark)?.find(each => each >= next) ?? Infinity)
    }
    if (place === Infinity) continue
    found.set(at, place)
    next = place + 1
  }
}

/** How many items of both are the same at the beginning, and behind those at the end. */
function ends(first: readonly string[], second: readonly string[]) {
  const most = Math.min(first.length, second.length)
  let head = 0
  while (head < most && first[head] === second[head]) head += 1
  let tail = 0
  while (tail < most - head && first.at(-1 - tail) === second.at(-1 - tail)) tail += 1
  return { head, tail }
}

function comparisons({ texts: first }: Items, { texts: second }: Items): number {
  const { head, tail } = ends(first, second)
  return (first.length - head - tail + 1) * (second.length - head - tail + 1)
}

/** The longest common part of both, as pairs of places. */
function common(
  first: readonly string[],
  second: readonly string[],
): readonly (readonly [number, number])[] {
  const { head, tail } = ends(first, second)
  const a = first.slice(head, first.length - tail)
  const b = second.slice(head, second.length - tail)
  const rows = Array.from({ length: a.length + 1 }, () => new Uint32Array(b.length + 1))
  const longest = (i: number, j: number) => rows[i]![j]!
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      rows[i]![j] =
        a[i] === b[j] ? longest(i + 1, j + 1) + 1 : Math.max(longest(i + 1, j), longest(i, j + 1))
    }
  }
  const found: (readonly [number, number])[] = []
  for (let at = 0; at < head; at++) found.push([at, at])
  let [i, j] = [0, 0]
  while (i < a.length && j < b.length) {
    if (a[i] === b[j]) found.push([head + i++, head + j++])
    else if (longest(i + 1, j) >= longest(i, j + 1)) i++
    else j++
  }
  for (let left = tail; left > 0; left--) found.push([first.length - left, second.length - left])
  return found
}
