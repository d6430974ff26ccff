// What an edit of a Rollout may not change while a release follows it: pods are already out by the
// old words, and there would be no way to say which step they are in.

import type { Rollout, RolloutSpec } from '#api/rollout.generated.ts'
import { equalJson } from '../equal.ts'
import type { Problem } from '../problem.ts'
import { strategyField, strategyOf } from '../rollout/release-style.ts'

/** The forbidden changes of the edit; none unless the Rollout is Progressing or Terminating. */
export function frozen(rollout: Rollout, previous: Rollout): readonly Problem[] {
  const phase = previous.status?.phase
  if (phase !== 'Progressing' && phase !== 'Terminating') return []
  const until =
    phase === 'Progressing'
      ? 'until the release has ended; the old template, put back, ends it and takes all pods back, `spec.disabled: true` ends it and lets all go at once'
      : 'since the Rollout is being deleted; write the change into a new one'
  return changes(rollout.spec, previous.spec).map(({ field, message }) => ({
    field,
    message: `${message} ${until}`,
  }))
}

function changes(now: RolloutSpec, before: RolloutSpec): readonly Problem[] {
  return [...workloadChange(now, before), ...(styleChange(now, before) ?? planChange(now, before))]
}

function workloadChange(now: RolloutSpec, before: RolloutSpec): readonly Problem[] {
  if (equalJson(now.workloadRef, before.workloadRef)) return []
  const { apiVersion, kind, name } = before.workloadRef
  return [{ field: 'spec.workloadRef', message: `keep ${apiVersion} ${kind} ${name}` }]
}

/** Undefined where the style stays: only then is there something else to compare. */
function styleChange(now: RolloutSpec, before: RolloutSpec): readonly Problem[] | undefined {
  const style = strategyField(before)
  if (strategyField(now) !== style) {
    return [{ field: 'spec.strategy', message: `keep \`${style}\`` }]
  }
  const extra = before.strategy.canary?.enableExtraWorkloadForCanary ?? false
  if ((now.strategy.canary?.enableExtraWorkloadForCanary ?? false) === extra) return undefined
  const field = 'spec.strategy.canary.enableExtraWorkloadForCanary'
  return [{ field, message: `keep ${extra}` }]
}

function planChange(now: RolloutSpec, before: RolloutSpec): readonly Problem[] {
  const [plan, old] = [planOf(now), planOf(before)]
  const path = `spec.strategy.${strategyField(before)}`
  const problems: Problem[] = []
  if (!equalJson(plan.trafficRoutings, old.trafficRoutings)) {
    problems.push({ field: `${path}.trafficRoutings`, message: 'keep it as it was' })
  }
  if (plan.oneService !== old.oneService) {
    const field = `${path}.disableGenerateCanaryService`
    problems.push({ field, message: `keep ${old.oneService}` })
  }
  if (plan.steps !== old.steps) {
    const message = `keep the number of steps (${old.steps}, not ${plan.steps})`
    problems.push({ field: `${path}.steps`, message })
  }
  return problems
}

function planOf(spec: RolloutSpec) {
  const { trafficRoutings = [], steps = [], ...others } = strategyOf(spec)
  const { disableGenerateCanaryService: oneService = false } = others
  return { trafficRoutings, oneService, steps: steps.length }
}
