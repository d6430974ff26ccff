// Our processes end, and begin again: what a test does in between happens without them.

import type { Child } from '../../dev/child.ts'
import type { Sluice } from '../../dev/sluice.ts'
import { unlock } from './world.ts'
import type { World } from './world.ts'

type Program = 'webhook' | 'controller'

/** Both processes of a world, whoever plays them just now. */
export interface Presence {
  /** Does something after these have ended; killed, unless they are told to end. They come back. */
  readonly without: (
    programs: readonly Program[],
    what: () => Promise<void>,
    how?: {
      readonly signal?: NodeJS.Signals
      /** With which they come back. */
      readonly flags?: readonly string[]
    },
  ) => Promise<void>
  /** Kills both; nobody comes back. */
  readonly kill: () => Promise<void>
}

/** Whoever may be away, in the order of coming back. */
export const BOTH: readonly Program[] = ['webhook', 'controller']

/** Begins with the processes with which the world was started. */
export function presenceIn({ client, sluice }: World): Presence {
  const running: Record<Program, Child> = {
    webhook: sluice.webhook,
    controller: sluice.controller,
  }
  const end = async (programs: readonly Program[], signal: NodeJS.Signals) => {
    await Promise.all(programs.map(program => running[program].stop(signal)))
  }
  const begin: Readonly<Record<Program, Sluice['startController']>> = {
    webhook: sluice.startWebhook,
    async controller(flags) {
      await unlock(client)
      return sluice.startController(flags)
    },
  }
  return {
    async without(programs, what, { signal = 'SIGKILL', flags } = {}) {
      await end(programs, signal)
      try {
        await what()
      } finally {
        for (const program of programs) running[program] = await begin[program](flags)
      }
    },
    kill: () => end(BOTH, 'SIGKILL'),
  }
}
