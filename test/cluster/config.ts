// What the local control plane takes from the environment, read once per program. Everything else
// gets this value handed in, so a test can say where programs and state live.

import { homedir } from 'node:os'
import { delimiter, isAbsolute, join } from 'node:path'

/** Where programs are looked for, and where built programs and running clusters are kept. */
export interface ClusterConfig {
  /** The folder that KUBEBUILDER_ASSETS names; its content is not checked yet. */
  readonly assets: string | undefined
  /** The folders of PATH, in order. */
  readonly path: readonly string[]
  /** Absolute path of Sluice's part of the user's cache folder; it may not exist yet. */
  readonly cacheDir: string
  /** The kubeconfig of SLUICE_TEST_KUBECONFIG: tests use this cluster and start none. */
  readonly testKubeconfig: string | undefined
}

/** Reads the configuration from environment variables; an empty variable counts as unset. */
export function readConfig(env: NodeJS.ProcessEnv = process.env): ClusterConfig {
  // The XDG specification wants relative paths ignored.
  const xdg = env['XDG_CACHE_HOME'] ?? ''
  const cache = isAbsolute(xdg) ? xdg : join(env['HOME'] || homedir(), '.cache')
  return {
    assets: env['KUBEBUILDER_ASSETS'] || undefined,
    path: (env['PATH'] ?? '').split(delimiter).filter(isAbsolute),
    cacheDir: join(cache, 'sluice'),
    testKubeconfig: env['SLUICE_TEST_KUBECONFIG'] || undefined,
  }
}
