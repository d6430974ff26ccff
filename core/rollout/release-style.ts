// In which style a workload is released: what its Rollout asks for, and what counts in the middle of a release.

import type { BlueGreenStrategy, CanaryStrategy, RolloutSpec } from '#api/rollout.generated.ts'
import type { Style } from '../style.ts'
import { isOn } from '../workload/hold.ts'
import type { Hold } from '../workload/hold.ts'
import { adapterFor, inStyle } from '../workload/registry.ts'
import type { Rollout } from './model.ts'

/** The style that the spec asks for. A second workload beside a kind that can have none says nothing. */
export function styleOf({ strategy, workloadRef }: RolloutSpec): Style {
  if (strategy.blueGreen) return 'blueGreen'
  const adapter = adapterFor(workloadRef)
  const able = adapter !== undefined && inStyle(adapter, 'canary') !== undefined
  return strategy.canary?.enableExtraWorkloadForCanary && able ? 'canary' : 'partition'
}

/** The members of either one. */
export type Strategy = Partial<CanaryStrategy & BlueGreenStrategy>

/** Under what the spec says it. */
export function strategyField({ strategy }: Pick<RolloutSpec, 'strategy'>): 'blueGreen' | 'canary' {
  return strategy.blueGreen ? 'blueGreen' : 'canary'
}

/** What the spec says of the release: the steps, and by what requests come. */
export function strategyOf({ strategy }: Pick<RolloutSpec, 'strategy'>): Strategy {
  return strategy.blueGreen ?? strategy.canary ?? {}
}

/** Where no second Deployment may be made, its new pods run within the workload. */
export function withoutSecond<T extends Pick<Rollout, 'style' | 'otherStyleBecause'>>(
  rollout: T,
): T {
  if (rollout.style !== 'canary') return rollout
  return {
    ...rollout,
    style: 'partition',
    otherStyleBecause: `new pods run within the workload: ${noDeployments}`,
  }
}

/** The Rollout in the style of the release that runs. */
export function inStyleOf(
  hold: Hold | undefined,
  { otherStyleBecause, ...rollout }: Rollout,
): Rollout {
  const style = styleNow(hold, rollout.style)
  const because = style === rollout.style && otherStyleBecause
  return { ...rollout, style, ...(because && { otherStyleBecause: because }) }
}

/** Why none is made. */
export const noDeployments =
  'the controller has no right to make Deployments (roles.makeDeployments of the chart)'

/** A release keeps the style that it began with, whatever its Rollout says later: pods are out by it. */
export function styleNow(hold: Hold | undefined, asked: Style): Style {
  return isOn(hold) ? (hold.style ?? 'partition') : asked
}
