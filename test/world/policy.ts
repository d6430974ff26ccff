// What the policy of webhook/policy.ts does to a write, in the words of the simulated world.

import { CAUGHT, ESCAPE, HOLD, RECORD, WAVE, WORKLOAD_TYPE } from '#api/names.ts'
import { equalJson } from '#core/equal.ts'
import { caughtRecord } from '#core/workload/caught.ts'
import type { Workload, WorldKind } from './world.ts'

/** The request as the policy passes it on. */
export function caughtByPolicy(
  kind: WorldKind,
  object: Workload,
  before: Workload,
  fromController = false,
): Workload {
  const moved = !fromController && waveOn(object) !== waveOn(before)
  if (!isMatched(kind, object, before, moved)) return object
  const { adapter } = kind
  const [now, was] = [annotationsOf(object), annotationsOf(before)]
  const carried = carriedBy(kind, object, before)
  const held = isGuarded(before) && HOLD in was && RECORD in was
  const marks = held
    ? { [HOLD]: was[HOLD], [RECORD]: was[RECORD] }
    : { [RECORD]: caughtRecord(adapter, carried) }
  const annotations = { ...now, [CAUGHT]: carried, ...marks } as Record<string, string>
  const guard = before.metadata.labels?.[WORKLOAD_TYPE] ?? adapter.kind.toLowerCase()
  const wave = held && { [WAVE]: waveOn(before) }
  const labels = { ...object.metadata.labels, [WORKLOAD_TYPE]: guard, ...wave }
  const caught = adapter.caught(object) as Workload
  return { ...caught, metadata: { ...caught.metadata, labels, annotations } }
}

/** The selector and the match conditions. */
function isMatched(kind: WorldKind, object: Workload, before: Workload, moved: boolean): boolean {
  if (!isGuarded(object) && !isGuarded(before)) return false
  const edited = !equalJson(object.spec.template, before.spec.template)
  const copied = edited && !(ESCAPE in annotationsOf(before))
  if (ESCAPE in annotationsOf(object) && !copied) return false
  return edited || isCaught(before) || isLoosened(kind, object, before, moved)
}

/** One that is caught already stands as the catch left it: what it carried then still counts. */
function carriedBy({ adapter }: WorldKind, object: Workload, before: Workload): string {
  const carried = adapter.carries(object)
  const { [CAUGHT]: was } = annotationsOf(before)
  const same = isGuarded(before) && was !== undefined && carried === adapter.carries(before)
  return same ? was : carried
}

function isCaught(before: Workload): boolean {
  const was = annotationsOf(before)
  return isGuarded(before) && CAUGHT in was && !(ESCAPE in was)
}

function isLoosened(kind: WorldKind, object: Workload, before: Workload, moved: boolean): boolean {
  if (!isHeldBack(before)) return false
  return !(HOLD in annotationsOf(object)) || moved || kind.loosens(object, before)
}

function isHeldBack(before: Workload): boolean {
  const was = annotationsOf(before)
  if (!isGuarded(before) || ESCAPE in was) return false
  const begun = /^mode=(wave|back|stop|aborted);/.test(was[HOLD] ?? '')
  return begun && !/^(finishing|released)[.]/.test(waveOn(before))
}

function waveOn({ metadata }: Workload): string {
  return metadata.labels?.[WAVE] ?? ''
}

function isGuarded({ metadata }: Workload): boolean {
  return metadata.labels?.[WORKLOAD_TYPE] !== undefined
}

function annotationsOf({ metadata }: Workload): Readonly<Record<string, string>> {
  return { ...metadata.annotations }
}
