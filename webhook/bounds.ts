// How much the webhook takes at once. Whoever comes too early waits before their body is read, where
// it costs nothing: an edit is not refused because many came together, unless its caller gives up.

import type { IncomingMessage } from 'node:http'

/** Lets requests in as long as their bodies fit. */
export interface Gate {
  /**
   * Fulfilled when the body may be read; in the order of arrival, small ones by themselves. False where the caller has given up
   * by then. What is taken is given back when the request's connection or its answer ends.
   */
  readonly enter: (request: IncomingMessage, ended: Ended) => Promise<boolean>
  /** Bytes that are let in now. */
  readonly taken: () => number
}

/** Something that tells once that it has ended, as a response does. */
export interface Ended {
  readonly once: (event: 'close', listener: () => void) => unknown
}

/** How much fits through a gate. */
export interface GateOptions {
  /** All bodies of one kind together, in bytes: the small ones, and the others. */
  readonly bytes: number
  /** One body at most, in bytes: what a body counts that does not say its length. */
  readonly most: number
  /** A body that says it has no more bytes is small: it never waits for one that has. */
  readonly small: number
}

interface Waiting {
  readonly bytes: number
  readonly let: (inside: boolean) => void
}

/** Makes a gate that nobody has entered. */
export function createGate({ bytes, most, small }: GateOptions): Gate {
  // Nearly every review is small. In one lane with the others, a few slow large ones stop all edits.
  const lanes = { small: createLane(bytes), large: createLane(bytes) }
  return {
    taken: () => lanes.small.taken() + lanes.large.taken(),
    enter(request, ended) {
      const length = lengthOf(request, most)
      return lanes[length <= small ? 'small' : 'large'].enter(length, ended)
    },
  }
}

function createLane(bytes: number) {
  const waiting = new Set<Waiting>()
  let taken = 0
  const letIn = () => {
    for (const next of waiting) {
      if (taken + next.bytes > bytes) return
      waiting.delete(next)
      taken += next.bytes
      next.let(true)
    }
  }
  return {
    taken: () => taken,
    enter: (length: number, ended: Ended) =>
      new Promise<boolean>(resolve => {
        const next = { bytes: length, let: resolve }
        waiting.add(next)
        ended.once('close', () => {
          if (waiting.delete(next)) resolve(false)
          else taken -= next.bytes
          letIn()
        })
        letIn()
      }),
  }
}

/** A body that is too large is refused by its length, unread. */
function lengthOf({ headers }: IncomingMessage, most: number): number {
  const length = Number(headers['content-length'] ?? most)
  return Math.min(Number.isNaN(length) ? most : length, most)
}
