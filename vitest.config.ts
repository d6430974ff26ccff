import { join } from 'node:path'

import { defineConfig } from 'vitest/config'

import { readConfig } from './test/cluster/config.ts'

export default defineConfig({
  test: {
    reporters: ['default'],
    // The tests wait for a control plane more than they compute.
    maxWorkers: '100%',
    projects: [
      {
        test: {
          name: 'fast',
          include: ['**/*.test.ts'],
          exclude: ['test/cluster/**', 'test/mutants/**', '**/node_modules/**'],
          // A machine that is busy with other things is no failure.
          testTimeout: 180_000,
          hookTimeout: 180_000,
          expect: { poll: { timeout: 30_000 } },
        },
      },
      {
        test: {
          name: 'mutants',
          include: ['test/mutants/*.test.ts'],
          // Every row is prepared and run in one hook.
          hookTimeout: 1_800_000,
        },
      },
      {
        test: {
          name: 'cluster',
          include: ['test/cluster/**/*.test.ts'],
          globalSetup: ['test/cluster/global-setup.ts'],
          testTimeout: 480_000,
          hookTimeout: 1_800_000,
          env: {
            // Processes of ours start in half the time,
            NODE_COMPILE_CACHE: join(readConfig().cacheDir, 'compiled'),
            // and those of the control plane collect their garbage more seldom.
            GOGC: '400',
          },
        },
      },
    ],
  },
})
