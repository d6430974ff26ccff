// Builds programs with Go, once per version and machine. Each target is a folder that appears in
// the cache in one rename, so whoever sees it sees it whole, also while others build or die.

import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { mkdir, readdir, rename, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join, relative } from 'node:path'

import { withLock } from './lock.ts'

/** The programs that have to fit each other. */
export const kubernetesPrograms = [
  'etcd',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'kubectl',
] as const

/** What is built in one go: a folder of the cache. */
export type Target = 'kube' | 'kwok' | 'helm4' | 'helm3' | 'gateway'

/** Where a build goes, and who hears of it. */
export interface BuildOptions {
  /** Sluice's cache folder. */
  readonly cacheDir: string
  /** Folders that are searched for `go`. */
  readonly path: readonly string[]
  readonly progress: (line: string) => void
  readonly signal: AbortSignal | undefined
  /** What is missing and how else to give it, if at all: the start of the error when there is no Go. */
  readonly missing: string
}

/** Packages, built in the module that pins what all programs are made of. */
interface Recipe {
  readonly packages: readonly string[]
  readonly linkerFlags: string
}

const kubernetes = { version: 'v1.36.3', major: '1', minor: '36' }
const small = '-s -w'
// One module: the libraries of Kubernetes, which take longer to compile than what is made of them, are
// compiled once for all. So every program is of a release that goes with the same version of them.
// Its own package is the one whose binary goes by several names.
const combined = 'programs'
const source = join(import.meta.dirname, combined)
const recipes: Readonly<Record<Target, Recipe>> = {
  kube: {
    // What is started often is a binary of its own, which has less to set up before it begins.
    packages: ['.', 'k8s.io/kubernetes/cmd/kubectl'],
    linkerFlags: [
      small,
      `-X k8s.io/component-base/version.gitVersion=${kubernetes.version}`,
      `-X k8s.io/component-base/version.gitMajor=${kubernetes.major}`,
      `-X k8s.io/component-base/version.gitMinor=${kubernetes.minor}`,
      `-X k8s.io/client-go/pkg/version.gitVersion=${kubernetes.version}`,
    ].join(' '),
  },
  kwok: { packages: ['sigs.k8s.io/kwok/cmd/kwok'], linkerFlags: small },
  helm4: { packages: ['helm.sh/helm/v4/cmd/helm'], linkerFlags: small },
  helm3: { packages: ['helm.sh/helm/v3/cmd/helm'], linkerFlags: small },
  gateway: { packages: ['./gateway'], linkerFlags: small },
}
// Go 1.21 is the first that fetches the newer toolchain that a module asks for.
const oldestGo = [1, 21] as const
const tickMs = 10_000

/** The path that a program has, or will have, in the cache. */
export function builtProgram(cacheDir: string, target: Target, file: string): string {
  return join(versionFolder(cacheDir), target, file)
}

/** Builds a target into the cache, unless it is there or another process is building it now. */
export async function build(target: Target, options: BuildOptions): Promise<void> {
  const folder = join(versionFolder(options.cacheDir), target)
  const go = goProgram(options)
  const lock = {
    path: folder,
    waiting: (pid: number) =>
      options.progress(`${target}: process ${pid} is building it, waiting for that`),
    signal: options.signal,
  }
  await withLock(lock, async () => {
    if (existsSync(folder)) return
    await removeUnfinished(target, options.cacheDir)
    const staging = `${folder}.build-${process.pid}`
    await mkdir(staging)
    try {
      await compile(target, { ...options, go, staging })
      if (target === 'kube') {
        const together = kubernetesPrograms.filter(name => !existsSync(join(staging, name)))
        await Promise.all(together.map(name => symlink(combined, join(staging, name))))
      }
      await rename(staging, folder)
    } finally {
      // A compiler that Go started may still be writing.
      await rm(staging, { recursive: true, force: true, maxRetries: 5 })
    }
  })
}

// What is built otherwise goes to another folder, so that nobody finds a program of before.
function versionFolder(cacheDir: string): string {
  const digest = createHash('sha256')
  const files = readdirSync(source, { recursive: true, withFileTypes: true })
  const paths = files.filter(each => each.isFile()).map(each => join(each.parentPath, each.name))
  for (const path of paths.toSorted()) {
    digest.update(relative(source, path)).update(readFileSync(path)).update('\0')
  }
  digest.update(JSON.stringify([recipes, process.platform, process.arch]))
  return join(cacheDir, 'programs', digest.digest('hex').slice(0, 16))
}

// Only the holder of the lock builds, so every other staging folder is from a killed process.
async function removeUnfinished(target: Target, cacheDir: string): Promise<void> {
  const folder = versionFolder(cacheDir)
  for (const name of await readdir(folder)) {
    if (name.startsWith(`${target}.build-`)) await rm(join(folder, name), { recursive: true })
  }
}

function goProgram(options: BuildOptions): string {
  const folder = options.path.find(folder => existsSync(join(folder, 'go')))
  const into = options.cacheDir
  const cure = `install Go 1.21 or newer (https://go.dev/dl), which builds it once into ${into}`
  if (folder === undefined) throw new Error(`${options.missing} ${cure}`)
  const go = join(folder, 'go')
  const { stdout } = spawnSync(go, ['env', 'GOVERSION'], {
    cwd: tmpdir(),
    encoding: 'utf8',
    env: { ...process.env, GOTOOLCHAIN: 'local' },
  })
  const version = /^go(\d+)\.(\d+)/.exec(stdout ?? '')
  if (version && isOlder(Number(version[1]), Number(version[2]))) {
    throw new Error(`${options.missing} ${cure}: ${go} is ${stdout.trim()}`)
  }
  return go
}

function isOlder(major: number, minor: number): boolean {
  return major < oldestGo[0] || (major === oldestGo[0] && minor < oldestGo[1])
}

interface Compilation extends BuildOptions {
  readonly go: string
  readonly staging: string
}

async function compile(target: Target, options: Compilation): Promise<void> {
  const started = performance.now()
  const elapsed = () => `${Math.round((performance.now() - started) / 1000)} s`
  const output: string[] = []
  options.progress(`${target}: building it with Go, once; this takes minutes`)
  const tick = setInterval(() => {
    options.progress(`${target}: ${elapsed()}, ${output.length} packages, ${output.at(-1) ?? ''}`)
  }, tickMs)
  try {
    const code = await runGo(target, options, output)
    if (code !== 0) {
      const shown = output.filter(line => !/^[\w./~@-]+$/.test(line)).join('\n')
      throw new Error(`${target}: go failed with code ${code} after ${elapsed()}\n${shown}`)
    }
    options.progress(`${target}: built in ${elapsed()}`)
  } finally {
    clearInterval(tick)
  }
}

// With -v Go names each package as it compiles it: the only progress that it tells.
function goArguments(target: Target, staging: string): readonly string[] {
  const { packages, linkerFlags } = recipes[target]
  // The linker leaves out what a debugger would read, so the compiler need not write it either.
  const flags = ['-trimpath', '-gcflags=all=-dwarf=false', '-ldflags', linkerFlags]
  return ['build', '-v', ...flags, '-o', staging, ...packages]
}

function runGo(target: Target, options: Compilation, output: string[]): Promise<number | null> {
  // Programs for another platform are of no use here.
  const { GOOS: _os, GOARCH: _arch, ...env } = process.env
  const child = spawn(options.go, goArguments(target, options.staging), {
    cwd: source,
    env: {
      // A compiler is gone before collecting its garbage is worth the time.
      GOGC: '800',
      ...env,
      // What an interrupted Go leaves of its work goes with the staging folder.
      GOTMPDIR: options.staging,
      PATH: options.path.join(delimiter),
    },
    stdio: ['ignore', 'ignore', 'pipe'],
    signal: options.signal,
  })
  let rest = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    output.push(...lines)
  })
  return new Promise((resolve, reject) => {
    let failure: Error | undefined
    child.once('error', error => (failure = error))
    child.once('close', code => {
      if (rest !== '') output.push(rest)
      if (failure) reject(failure)
      else resolve(code)
    })
  })
}
