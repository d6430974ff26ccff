// Runs kubectl, helm and sluice against a cluster the way a person would: the real programs, no shell. What
// they keep between calls stays beside the cluster, so nothing is left in anybody's home folder.

import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { symlink } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

import { findProgram } from './programs.ts'

/** What a command needs to know of a cluster; a ControlPlane is one. */
export interface CommandTarget {
  /** The path of a kubeconfig. */
  readonly kubeconfig: string
  /** A folder with kubectl; helm is linked into it when it is first called. */
  readonly bin: string
}

/** What a command gets, and what is expected of it. */
export interface CommandOptions {
  /** The standard input; without it the input is empty. */
  readonly input?: string
  /** The command must fail: success is the error then. By default failure is. */
  readonly expectFailure?: boolean
  /** Added to the environment. */
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
  /** Hears what the command prints, while it runs. */
  readonly hear?: (text: string) => void
  /** The command is killed after this time; by default after two minutes. */
  readonly timeoutMs?: number
}

/** How a command ended. */
export interface CommandResult {
  /** The exit code; 128 and more when a signal ended it. */
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs kubectl; rejects with its own words when it ends otherwise than expected. */
export function kubectl(
  target: CommandTarget,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  return run(target, { program: join(target.bin, 'kubectl'), args }, options)
}

/** Runs kubectl with `-o json` and gives what it printed, parsed. */
export async function kubectlJson<T>(
  target: CommandTarget,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<T> {
  return JSON.parse((await kubectl(target, [...args, '-o', 'json'], options)).stdout) as T
}

/** Runs Helm 4, which is built first when it is missing; rejects like `kubectl`. */
export async function helm(
  target: CommandTarget,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  return run(target, { program: await helmLink(target, 'helm4'), args }, options)
}

/** Runs Helm 3, which is built first when it is missing; rejects like `kubectl`. */
export async function helm3(
  target: CommandTarget,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  return run(target, { program: await helmLink(target, 'helm3'), args }, options)
}

/** Runs our own `sluice` from this checkout; rejects like `kubectl`. */
export function sluice(
  target: CommandTarget,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const script = fileURLToPath(new URL('../../cli/main.ts', import.meta.url))
  return run(target, { program: process.execPath, args: [script, ...args] }, options)
}

/** Runs what `helm uninstall` waits for, from this checkout; rejects like `kubectl`. */
export function uninstall(
  target: CommandTarget,
  args: readonly string[],
  options: CommandOptions = {},
): Promise<CommandResult> {
  const script = fileURLToPath(new URL('../../cli/uninstall.ts', import.meta.url))
  const flags = [`--kubeconfig=${target.kubeconfig}`, ...args]
  return run(target, { program: process.execPath, args: [script, ...flags] }, options)
}

/** Runs a script in bash, as somebody types it; rejects like `kubectl`. */
export function bash(target: CommandTarget, script: string): Promise<CommandResult> {
  return run(target, { program: 'bash', args: ['-euo', 'pipefail', '-c', script] }, {})
}

/** The environment in which kubectl and helm find the cluster and keep their files beside it. */
export function commandEnvironment(target: CommandTarget): Readonly<Record<string, string>> {
  const home = join(target.bin, '..', 'commands')
  return {
    KUBECONFIG: target.kubeconfig,
    // Ports are used again: a kept list of kinds could be that of a cluster long gone.
    KUBECACHEDIR: join(home, 'kubectl'),
    HELM_CACHE_HOME: join(home, 'helm', 'cache'),
    HELM_CONFIG_HOME: join(home, 'helm', 'config'),
    HELM_DATA_HOME: join(home, 'helm', 'data'),
    PATH: [target.bin, process.env['PATH'] ?? ''].join(delimiter),
  }
}

async function helmLink(target: CommandTarget, name: 'helm4' | 'helm3'): Promise<string> {
  const link = join(target.bin, name === 'helm4' ? 'helm' : 'helm3')
  if (existsSync(link)) return link
  const program = await findProgram(name)
  await symlink(program, link).catch((error: NodeJS.ErrnoException) => {
    // Another test made the same link in the meantime.
    if (error.code !== 'EEXIST') throw error
  })
  return link
}

interface Invocation {
  readonly program: string
  readonly args: readonly string[]
}

async function run(
  target: CommandTarget,
  { program, args }: Invocation,
  options: CommandOptions,
): Promise<CommandResult> {
  const child = spawn(program, args, {
    env: { ...process.env, ...commandEnvironment(target), ...options.env },
    cwd: options.cwd,
    timeout: options.timeoutMs ?? 120_000,
  })
  let stdout = ''
  let stderr = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text
    options.hear?.(text)
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
  // A program that ends without reading its input is judged by its exit code.
  child.stdin.on('error', () => {})
  child.stdin.end(options.input ?? '')
  const code = await new Promise<number>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (exit, signal) => resolve(exit ?? (signal === 'SIGKILL' ? 137 : 143)))
  })
  if ((code !== 0) !== (options.expectFailure ?? false)) {
    const expected = options.expectFailure ? 'failure was expected' : `exit code ${code}`
    throw new Error(`${program} ${args.join(' ')}: ${expected}\n${stderr}${stdout}`.trimEnd())
  }
  return { code, stdout, stderr }
}
