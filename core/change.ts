// One write to the API server, as data.

import type { KubeObject } from '#api/kubernetes.ts'
import { digest } from './digest.ts'

/** A JSON merge patch (RFC 7386): null deletes a field. */
export type MergePatch = {
  readonly [field: string]: MergePatch | string | number | boolean | null | readonly unknown[]
}

/** One object, as it was read. */
export interface Target {
  readonly apiVersion: string
  readonly kind: string
  readonly namespace: string
  readonly name: string
  readonly resourceVersion: string
}

/** A merge patch that the API server refuses if the object has changed since it was read. */
export interface Patch {
  readonly type: 'patch'
  readonly target: Target
  readonly subresource?: 'status'
  /** A strategic merge patch instead: lists are merged by their key, as conditions by type. */
  readonly strategic?: true
  readonly patch: MergePatch
  /** What it asks for, where the patch holds the time at which it was made as well. */
  readonly asks?: unknown
}

/** A new object. The API server refuses it if there is one of that name. */
export interface Creation {
  readonly type: 'create'
  readonly object: KubeObject
}

/** A deletion that the API server refuses if the object has changed since it was read. */
export interface Deletion {
  readonly type: 'delete'
  readonly target: Target
  readonly uid: string
}

export type Change = Patch | Deletion | Creation

/** Equal for two that ask for the same, of whichever version of the object. */
export function wordsOf(change: Change): string {
  if (change.type === 'create') return digest([change.type, nameOf(change.object)])
  const { type, target } = change
  const asks = type === 'patch' ? (change.asks ?? change.patch) : ''
  return digest([type, target.kind, target.name, asks])
}

function nameOf({ kind, metadata }: KubeObject): readonly string[] {
  return [kind, metadata.name]
}
