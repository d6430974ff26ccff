// One control plane for a whole run of the cluster tests: starting it costs more than most tests,
// and namespaces keep the tests apart. SLUICE_TEST_KUBECONFIG names a cluster to use instead.

import { existsSync } from 'node:fs'
import { mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

import type { TestProject } from 'vitest/node'

import type { CommandTarget } from './commands.ts'
import { readConfig, type ClusterConfig } from './config.ts'
import { startControlPlane } from './control-plane.ts'
import { namespaceTrouble } from './pod-network/namespace.ts'
import { findProgram } from './programs.ts'
import { neverUsed, notesIn } from './run-rights.ts'

/** What a test knows about the shared cluster, by `inject('cluster')`. */
export interface TestCluster extends CommandTarget {
  /** The path of the audit log; undefined for a cluster that keeps none beside its kubeconfig. */
  readonly auditLog: string | undefined
}

declare module 'vitest' {
  /** What the global setup hands to every test. */
  export interface ProvidedContext {
    cluster: TestCluster
    /** The folder in which each cluster leaves what of its rights was used. */
    rights: string
  }
}

/**
 * Provides the cluster; what it returns ends it, does nothing to a cluster that was given, and fails where
 * a run of all files used less than the roles grant.
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const config = readConfig()
  const rights = await mkdtemp(join(tmpdir(), 'sluice-rights-'))
  project.provide('rights', rights)
  const { cluster, release } = await begin(config)
  project.provide('cluster', cluster)
  return async () => {
    await release()
    const notes = await notesIn(rights)
    await rm(rights, { recursive: true })
    const unused = (await isWhole(project)) ? neverUsed(notes) : []
    if (unused.length > 0) throw new Error(`granted, and never used: ${unused.join(', ')}`)
  }
}

async function begin(config: ClusterConfig): Promise<Begun> {
  if (config.testKubeconfig !== undefined) return given(config.testKubeconfig, config)
  // Built on first use they would take the time of whichever test comes first.
  for (const name of ['helm4', 'helm3'] as const) await findProgram(name, { config })
  // The one test that needs it tells why it could not be built.
  if (!namespaceTrouble()) await findProgram('gateway', { config }).catch(() => {})
  const controlPlane = await startControlPlane({ config })
  const { kubeconfig, auditLog, bin } = controlPlane
  return { cluster: { kubeconfig, auditLog, bin }, release: () => controlPlane.stop() }
}

/** Every test of every file was run, and none has failed. */
async function isWhole(project: TestProject): Promise<boolean> {
  const { name, vitest } = project
  const { testFiles } = await project.globTestFiles()
  const run = vitest.state.getTestModules().filter(each => each.project.name === name)
  const whole = run.filter(each => each.state() !== 'failed')
  return whole.length === testFiles.length && vitest.getGlobalTestNamePattern() === undefined
}

interface Begun {
  readonly cluster: TestCluster
  readonly release: () => Promise<void>
}

async function given(kubeconfig: string, config: ClusterConfig): Promise<Begun> {
  if (!existsSync(kubeconfig)) {
    throw new Error(`SLUICE_TEST_KUBECONFIG: there is no file ${kubeconfig}; unset it, or name one`)
  }
  const beside = join(dirname(kubeconfig), 'audit.log')
  const auditLog = existsSync(beside) ? beside : undefined
  const folder = await mkdtemp(join(tmpdir(), 'sluice-bin-'))
  // The folder above `bin` gets what kubectl and helm keep between calls.
  const bin = await mkdtemp(join(folder, 'bin-'))
  await symlink(await findProgram('kubectl', { config }), join(bin, 'kubectl'))
  return {
    cluster: { kubeconfig, auditLog, bin },
    release: () => rm(folder, { recursive: true, force: true }),
  }
}
