// Waiting for what no watch tells, by trying.

import { vi } from 'vitest'

/** Tries again until it succeeds. */
export async function eventually(attempt: () => unknown): Promise<void> {
  await vi.waitFor(attempt, { timeout: 120_000, interval: 50 })
}
