// The difference of two JSON objects as RFC 6902 operations. Lists are replaced whole: nothing that
// admission changes is one.

import { equalJson } from '../equal.ts'
import { isObject } from '../members.ts'

/** One RFC 6902 operation. */
export type PatchOperation =
  | { readonly op: 'add' | 'replace'; readonly path: string; readonly value: unknown }
  | { readonly op: 'remove'; readonly path: string }

/** Operations that turn `before` into `after`. Members that are undefined count as absent. */
export function difference(before: object, after: object, path = ''): readonly PatchOperation[] {
  const was = new Map(Object.entries(before))
  const is = new Map(Object.entries(after).filter(([, value]) => value !== undefined))
  const removed = [...was.keys()].filter(key => was.get(key) !== undefined && !is.has(key))
  return [
    ...removed.map(key => ({ op: 'remove', path: `${path}/${escape(key)}` }) as const),
    ...[...is].flatMap(([key, value]) => change(was.get(key), value, `${path}/${escape(key)}`)),
  ]
}

function change(was: unknown, value: unknown, path: string): readonly PatchOperation[] {
  if (was === undefined) return [{ op: 'add', path, value }]
  if (equalJson(was, value)) return []
  if (isObject(was) && isObject(value)) return difference(was, value, path)
  return [{ op: 'replace', path, value }]
}

function escape(key: string): string {
  return key.replaceAll('~', '~0').replaceAll('/', '~1')
}
