// Which pods a partition keeps old, and what becomes of one that is deleted. By these a release that has to
// go back knows whom to delete: only who comes again as something else.

import type { PodSeen } from './seen.ts'

/** What a pod that is deleted comes again by. */
export interface Returning {
  /** How many pods the partition that stands keeps old. */
  readonly kept: number
  /** Pods that are there and not new. */
  readonly old: number
  /** What its own controller calls the current revision; '' where it does not tell. */
  readonly current: string
  /** The newest; '' until it is named. */
  readonly update: string
}

/** Where pods have their names from, and how many of them there are to be. */
export interface Sized {
  readonly replicas: number
  /** The number in the name of its first pod. */
  readonly firstOrdinal: number
}

/** How pods take their turn. */
export interface Order {
  /** The pods that are to stay; who gets new first is the last. */
  readonly staying: (pods: readonly PodSeen[], seen: Sized) => readonly PodSeen[]
  /** The revision with which a pod would come again that is deleted now; '': not known. */
  readonly comesAs: (pod: PodSeen, seen: Sized, by: Returning) => string
  /** No more than so many would come again as another. */
  readonly room: (by: Returning) => number
  /** Of pods that are new from the outset, those that a partition counts as old all the same. */
  readonly passed: (ran: number) => number
  /** How far from the last pod on a partition must reach for the next one that is not new to be so. */
  readonly next: (pods: readonly PodSeen[], isNew: (pod: PodSeen) => boolean) => number
}

/** The partition is an ordinal: those below it stay old. */
export const byOrdinal: Order = {
  staying: (pods, seen) =>
    pods
      .filter(pod => indexOf(pod, seen) < seen.replicas)
      .toSorted((a, b) => indexOf(a, seen) - indexOf(b, seen)),
  comesAs: (pod, seen, { kept, current, update }) => (indexOf(pod, seen) < kept ? current : update),
  room: () => Infinity,
  // Who has left the others stands above them.
  passed: ran => ran,
  // A scaling that came in between has brought up some above it that are new.
  next: (pods, isNew) => pods.length - pods.findLastIndex(pod => !isNew(pod)),
}

/** The partition is a number of pods, whichever they are: one is made old for as long as some are missing. */
export const byCount: Order = {
  staying: pods => pods,
  comesAs(pod, _, { kept, old, current, update }) {
    const others = pod.revision === update ? old : old - 1
    return others < kept ? current : update
  },
  room: ({ kept, old }) => Math.max(kept - old, 0),
  passed: () => 0,
  next: () => 0,
}

/** Whoever is missing comes new: nobody can be taken back. */
export const alwaysNew: Order = {
  staying: pods => pods,
  comesAs: (_, __, { update }) => update,
  room: () => 0,
  passed: () => 0,
  next: () => 0,
}

/** Which of its pods it is, from 0: the partition counts so, whatever the first one is called. */
function indexOf({ metadata: { name } }: PodSeen, { firstOrdinal }: Sized): number {
  return Number(name.slice(name.lastIndexOf('-') + 1)) - firstOrdinal
}
