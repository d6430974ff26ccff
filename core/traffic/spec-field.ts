// Kinds of which one field of the spec says where requests go.

import type { KubeObject } from '#api/kubernetes.ts'
import type { MergePatch } from '../change.ts'
import { defined } from '../defined.ts'
import { equalJson } from '../equal.ts'
import { membersOf } from '../members.ts'
import type { Json, TrafficProvider, Wished } from './model.ts'

type Place = 'valueIn' | 'withValue' | 'undo' | 'remembered'

/** By which an owner's value of the field comes back. */
interface Undo {
  /** A merge patch of the field, whatever of the wish stands there. */
  readonly undo: (was: Wished) => Json
  /** The owner's value, of that patch. */
  readonly undone: (patch: Json) => Json
}

/** What is the same for all of them. */
export function specField(field: string, { undo, undone }: Undo): Pick<TrafficProvider, Place> {
  const valueIn = (object: KubeObject) => specOf(object)[field]
  return {
    valueIn,
    withValue(object, value) {
      if (equalJson(valueIn(object), value)) return object
      const { [field]: _, ...others } = specOf(object)
      return { ...object, spec: { ...others, ...defined({ [field]: value }) } } as KubeObject
    },
    undo: was => ({ spec: { [field]: undo(was) ?? null } }) as MergePatch,
    remembered(patch) {
      const spec = membersOf(patch['spec'])
      return field in spec ? { owner: undone(spec[field]) } : undefined
    },
  }
}

function specOf(object: KubeObject): Readonly<Record<string, unknown>> {
  return membersOf((object as KubeObject & { readonly spec?: unknown }).spec)
}
