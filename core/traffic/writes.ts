// How a wish is written to an object by which requests are moved, and what keeps it from being met.

import { TRAFFIC } from '#api/names.ts'
import type { Change, MergePatch, Target } from '../change.ts'
import type { Move } from '../move.ts'
import type { Seen } from '../seen.ts'
import type { TouchedSeen } from './touched.ts'

type Kind = Pick<Target, 'apiVersion' | 'kind'>

/** A wish that stands there, and not in the field, met no webhook. */
export function wishing(
  kind: Kind,
  object: TouchedSeen,
  wish: string,
  why: string,
): Move | undefined {
  if (object.wish === wish && object.projected) return undefined
  const change = patched(kind, object, { metadata: { annotations: { [TRAFFIC]: wish } } })
  if (object.wish !== wish) return { changes: [change], why }
  return { changes: [change], why: `${why}: the webhook must answer first`, again: true }
}

/** Nothing of ours is on it, or its owner took that over. */
export function isFree({ wish, projected, escaped }: TouchedSeen): boolean {
  return escaped || (wish === undefined && projected)
}

/** Its owner took it over, in words. */
export function takenOut(name: string): string {
  return `its owner took ${name} over: take the annotation sluice.dev/escape off it to go on`
}

/** It says for one alone where requests go, in words. */
export function notTwice(name: string, other: string): string {
  return `${name} is moved for ${other} already: name it in one place alone`
}

/** A patch of an object as it was read. */
export function patched(kind: Kind, object: Seen, patch: MergePatch): Change {
  return { type: 'patch', target: targetOf(kind, object), patch }
}

/** A move whose writes are the same ones at whatever time they are made. */
export function atAnyTime(move: Move, asks: unknown): Move {
  const changes = move.changes.map(each => (each.type === 'patch' ? { ...each, asks } : each))
  return { ...move, changes }
}

/** An object as it was read. */
export function targetOf({ apiVersion, kind }: Kind, { metadata }: Seen): Target {
  const { namespace, name, resourceVersion } = metadata
  return { apiVersion, kind, namespace, name, resourceVersion }
}

/** Its name. */
export function nameOf({ metadata }: Seen): string {
  return metadata.name
}

/** Nothing moves until somebody acts. */
export function blocked(why: string): Move {
  return { changes: [], why, blocked: true }
}
