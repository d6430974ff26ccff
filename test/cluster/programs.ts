// Where the programs of the local control plane come from: KUBEBUILDER_ASSETS, PATH, the cache
// folder, and last a build with Go into that cache. The five Kubernetes programs come from one
// source together, since programs of different versions need not fit each other.

import { spawnSync } from 'node:child_process'
import { accessSync, constants, statSync } from 'node:fs'
import { join } from 'node:path'

import { readConfig, type ClusterConfig } from './config.ts'
import { build, builtProgram, kubernetesPrograms, type Target } from './program-build.ts'

/** A program of Kubernetes itself. */
type KubernetesProgram = (typeof kubernetesPrograms)[number]

/** Every program by the name that this folder uses for it; both Helms are called `helm` on disk. */
export type ProgramName = KubernetesProgram | 'kwok' | 'helm4' | 'helm3' | 'gateway'

/** How to look for programs. */
export interface FindOptions {
  readonly config?: ClusterConfig | undefined
  /** Gets one line at a time; by default the lines go to stderr. */
  readonly progress?: ((line: string) => void) | undefined
  /** Ends a build, or the wait for somebody else's. */
  readonly signal?: AbortSignal | undefined
}

/** Absolute paths of what a control plane runs; Helm is looked for when it is asked for. */
export interface Programs extends Readonly<Record<KubernetesProgram | 'kwok', string>> {
  /** The path of Helm 4, which may have to be built first. */
  helm4(): Promise<string>
  /** The path of Helm 3, which may have to be built first. */
  helm3(): Promise<string>
}

/**
 * Finds what a control plane runs, and builds what is nowhere to be found.
 * Fails with one error that lists the ways when a program is missing and Go is too.
 */
export async function findPrograms(options: FindOptions = {}): Promise<Programs> {
  const settled = { ...options, config: options.config ?? readConfig() }
  const find = (name: ProgramName) => findProgram(name, settled)
  const found: Partial<Record<KubernetesProgram, string>> = {}
  for (const name of kubernetesPrograms) found[name] = await find(name)
  return {
    ...(found as Record<KubernetesProgram, string>),
    kwok: await find('kwok'),
    helm4: () => find('helm4'),
    helm3: () => find('helm3'),
  }
}

/** Finds one program, and builds it when it is nowhere to be found. */
export async function findProgram(name: ProgramName, options: FindOptions = {}): Promise<string> {
  const config = options.config ?? readConfig()
  const present = locateProgram(name, config)
  if (present !== undefined) return present
  const { target, file } = placeOf(name)
  await build(target, {
    cacheDir: config.cacheDir,
    path: config.path,
    progress: options.progress ?? (line => void process.stderr.write(`${line}\n`)),
    signal: options.signal,
    missing: missing(name, config),
  })
  return builtProgram(config.cacheDir, target, file)
}

/** The path of a program that is there already, undefined when it would have to be built. */
export function locateProgram(name: ProgramName, config: ClusterConfig): string | undefined {
  const { target, file } = placeOf(name)
  const given = target === 'kube' ? givenTogether(file, config) : givenAlone(name, file, config)
  if (given !== undefined) return given
  const built = builtProgram(config.cacheDir, target, file)
  return isExecutable(built) ? built : undefined
}

function placeOf(name: ProgramName): { readonly target: Target; readonly file: string } {
  if (name === 'helm3' || name === 'helm4') return { target: name, file: 'helm' }
  if (name === 'kwok' || name === 'gateway') return { target: name, file: name }
  return { target: 'kube', file: name }
}

function givenTogether(file: string, config: ClusterConfig): string | undefined {
  const sources = [config.assets === undefined ? [] : [config.assets], config.path]
  const whole = sources.find(folders => kubernetesPrograms.every(name => lookIn(folders, name)))
  return whole && lookIn(whole, file)
}

function givenAlone(name: ProgramName, file: string, config: ClusterConfig): string | undefined {
  // Nobody but us has it.
  if (name === 'gateway') return undefined
  const folders = config.assets === undefined ? config.path : [config.assets, ...config.path]
  const found = lookIn(folders, file)
  if (found === undefined || name === 'kwok') return found
  return helmMajor(found) === name.slice(-1) ? found : undefined
}

function helmMajor(program: string): string | undefined {
  const { stdout } = spawnSync(program, ['version', '--short'], { encoding: 'utf8' })
  return /^v(\d+)\./.exec(stdout ?? '')?.[1]
}

function lookIn(folders: readonly string[], file: string): string | undefined {
  return folders.map(folder => join(folder, file)).find(isExecutable)
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return statSync(file).isFile()
  } catch {
    return false
  }
}

function missing(name: ProgramName, config: ClusterConfig): string {
  if (name === 'gateway') return `${name} is missing, which nobody but us has:`
  const { target, file } = placeOf(name)
  const wanted = target === 'kube' ? kubernetesPrograms.join(', ') : file
  const assets =
    config.assets === undefined
      ? `set KUBEBUILDER_ASSETS to a folder with ${wanted}`
      : `complete the folder of KUBEBUILDER_ASSETS, ${config.assets}: it needs ${wanted}`
  return `${name} is missing: ${assets}; or put ${wanted} on PATH; or`
}
