// What the policy of webhook/policy.ts does to a write, in the words of the simulated world.

import type { Deployment } from '#api/kubernetes.ts'
import { CAUGHT, ESCAPE, HOLD, RECORD, WAVE, WORKLOAD_TYPE } from '#api/names.ts'
import { equalJson } from '#core/equal.ts'
import { caughtRecord } from '#core/workload/caught.ts'
import { deploymentFields } from '#core/workload/deployment-admission.ts'

/** The request as the policy passes it on. */
export function caughtByPolicy(
  object: Deployment,
  before: Deployment,
  fromController = false,
): Deployment {
  const moved = !fromController && waveOn(object) !== waveOn(before)
  if (!isMatched(object, before, moved)) return object
  const [now, was] = [annotationsOf(object), annotationsOf(before)]
  const carried = carriedBy(object, before)
  const held = isGuarded(before) && HOLD in was && RECORD in was
  const marks = held
    ? { [HOLD]: was[HOLD], [RECORD]: was[RECORD] }
    : { [RECORD]: caughtRecord(deploymentFields, carried) }
  const annotations = { ...now, [CAUGHT]: carried, ...marks } as Record<string, string>
  const guard = before.metadata.labels?.[WORKLOAD_TYPE] ?? 'deployment'
  const wave = held && { [WAVE]: waveOn(before) }
  const labels = { ...object.metadata.labels, [WORKLOAD_TYPE]: guard, ...wave }
  return {
    ...object,
    metadata: { ...object.metadata, labels, annotations },
    spec: { ...object.spec, paused: true },
  }
}

/** The selector and the match conditions. */
function isMatched(object: Deployment, before: Deployment, moved: boolean): boolean {
  if (!isGuarded(object) && !isGuarded(before)) return false
  const edited = !equalJson(object.spec.template, before.spec.template)
  const copied = edited && !(ESCAPE in annotationsOf(before))
  if (ESCAPE in annotationsOf(object) && !copied) return false
  return edited || isCaught(before) || isLoosened(object, before, moved)
}

function carriedBy({ spec }: Deployment, before: Deployment): 'running' | 'paused' {
  if (spec.paused !== true) return 'running'
  const stands = isGuarded(before) && before.spec.paused === true
  return stands && annotationsOf(before)[CAUGHT] === 'running' ? 'running' : 'paused'
}

function isCaught(before: Deployment): boolean {
  const was = annotationsOf(before)
  return isGuarded(before) && CAUGHT in was && !(ESCAPE in was)
}

function isLoosened(object: Deployment, before: Deployment, moved: boolean): boolean {
  if (!isHeldBack(before)) return false
  const dropped = !(HOLD in annotationsOf(object))
  return dropped || moved || !equalJson(holdersOf(object), holdersOf(before))
}

function isHeldBack(before: Deployment): boolean {
  const was = annotationsOf(before)
  if (!isGuarded(before) || ESCAPE in was) return false
  const begun = /^mode=(wave|back|stop|aborted);/.test(was[HOLD] ?? '')
  return begun && !/^(finishing|released)[.]/.test(waveOn(before))
}

function waveOn({ metadata }: Deployment): string {
  return metadata.labels?.[WAVE] ?? ''
}

function holdersOf({ spec }: Deployment) {
  const { strategy, minReadySeconds = 0, progressDeadlineSeconds, paused = false } = spec
  return { strategy, minReadySeconds, progressDeadlineSeconds, paused }
}

function isGuarded({ metadata }: Deployment): boolean {
  return metadata.labels?.[WORKLOAD_TYPE] !== undefined
}

function annotationsOf({ metadata }: Deployment): Readonly<Record<string, string>> {
  return { ...metadata.annotations }
}
