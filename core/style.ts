// The three ways in which a Rollout can release a workload.

import type { RolloutStatus } from '#api/rollout.generated.ts'

/**
 * `partition`: new pods replace old ones within the workload. `canary`: new pods run in a second
 * Deployment. `blueGreen`: new pods stand beside all old ones.
 */
export type Style = (typeof styles)[number]

/** Each of them. */
export const styles = ['partition', 'canary', 'blueGreen'] as const

/** Where the API tells how a release stands, and where people write an approval. */
export const statusField = {
  partition: 'canaryStatus',
  canary: 'canaryStatus',
  blueGreen: 'blueGreenStatus',
} as const satisfies Readonly<Record<Style, keyof RolloutStatus>>

/** All old pods still run when all new ones do: then a full last step is not yet the end. */
export const keepsOld: Readonly<Record<Style, boolean>> = {
  partition: false,
  canary: false,
  blueGreen: true,
}
