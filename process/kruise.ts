// What each process says of Kruise Rollouts, beside which it does nothing.

import type { Logger } from 'pino'

import { KRUISE_WEBHOOKS } from '#api/names.ts'
import { KRUISE_GONE, KRUISE_RUNNING } from '#core/rollout/events.ts'
import type { Listener } from '#kube/cache.ts'

/** Listens to a watch of its registration: tells the log when that comes, and when it goes. */
export function tellOfKruise(log: Logger): Listener<unknown> {
  const configuration = KRUISE_WEBHOOKS
  return (before, after) => {
    if (!before) log.warn({ configuration }, KRUISE_RUNNING)
    if (!after) log.info({ configuration }, KRUISE_GONE)
  }
}
