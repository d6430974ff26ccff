// What docs/operations.md promises after each of its blocks. Sluice is killed and comes back in between, as the
// page says.

import { expect } from 'vitest'

import { ROLLOUTS } from '#kube/resources.ts'
import type { ResourceType } from '#kube/resources.ts'
import type { Promises } from './docs-kruise.ts'
import { pods } from './facts.ts'
import type { Story } from './story.ts'

/** What the page lets happen to Sluice. */
export interface Hands {
  /** Ends both at once; in order, so that nobody has to wait for the Lease to run out. */
  readonly kill: () => Promise<void>
  readonly revive: () => Promise<void>
  readonly register: () => Promise<void>
}

/** The promises of the page. */
export function operating({ kill, revive, register }: Hands): Promises {
  return {
    'ops-release': s => pods(s, { 'web:1': 9, 'web:2': 1 }),
    'ops-look': s => pods(s, { 'web:1': 9, 'web:2': 1 }),
    'ops-reached': async s => {
      await kill()
      s.forget()
    },
    'ops-away': s => pods(s, { 'web:1': 9, 'web:2': 1, 'web:3': 0 }),
    'ops-escape': async s => {
      await pods(s, { 'web:1': 0, 'web:2': 0, 'web:3': 10 })
      expect(Math.min(...s.history().map(({ ready }) => ready))).toBeGreaterThanOrEqual(8)
    },
    'ops-led': async s => {
      await revive()
      await guards(s)
    },
    'ops-unregistered': async s => {
      await register()
      await guards(s)
      s.forget()
    },
    'ops-stuck': s => pods(s, { 'web:3': 10, 'web:broken': 1 }),
    'ops-abort': async s => {
      await pods(s, { 'web:3': 10, 'web:broken': 0 })
      expect(Math.min(...s.history().map(({ ready }) => ready))).toBe(10)
    },
    'ops-gitops': s => pods(s, { 'web:3': 9, 'web:4': 1 }),
    'ops-escaped': s => pods(s, { 'web:3': 9, 'web:4': 1 }),
    'ops-two': async s => {
      const { items } = await s.client.listAll(ROLLOUTS as ResourceType, { namespace: s.namespace })
      expect(items).toHaveLength(1)
    },
    'ops-backup': s => pods(s, { 'web:4': 10 }),
    'ops-recreate': async s => {
      await pods(s, { 'web:4': 10 })
      await kill()
    },
    'ops-gone': s => pods(s, { 'web:4': 10 }),
  }
}

/** The commands of the page are those of a Rollout by another name than a story's. */
async function guards(s: Story): Promise<void> {
  await s.kubectl(['wait', 'rollout/web', '--for=condition=Ready', '--timeout=120s'])
}
