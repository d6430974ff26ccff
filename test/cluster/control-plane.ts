// A whole Kubernetes control plane on this machine: etcd, kube-apiserver, kube-controller-manager,
// kube-scheduler, and kwok in place of the kubelets. It is ready when facts say so, and nothing of
// it outlives the program that started it, unless that is asked for.

import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { freePort } from '../../dev/free-port.ts'
import {
  endComponent,
  launch,
  makeFolder,
  readRecord,
  removeCluster,
  runningPids,
  runningProcess,
  writeRecord,
  type ClusterRecord,
} from './cluster-folder.ts'
import {
  auditLogFile,
  componentCommands,
  etcdUrl,
  schedulerConfig,
  schedulerConfigFile,
  type ComponentName,
} from './components.ts'
import { readConfig, type ClusterConfig } from './config.ts'
import { writeCredentials } from './credentials.ts'
import { findPrograms, locateProgram, type Programs } from './programs.ts'
import {
  apiReady,
  ComponentEnded,
  listens,
  nodesReady,
  registerNode,
  serviceAccountPresent,
  until,
  type Watch,
} from './readiness.ts'

/** A running control plane. */
export interface ControlPlane {
  /** The folder of the cluster: logs, credentials, data. */
  readonly dir: string
  /** The API server, as in https://127.0.0.1:12345. */
  readonly url: string
  /** etcd, as in http://127.0.0.1:12345; it speaks gRPC, and JSON under /v3. */
  readonly etcd: string
  /** The path of the kubeconfig of an administrator. */
  readonly kubeconfig: string
  /** The path of the audit log: one JSON line per write, without bodies. */
  readonly auditLog: string
  /** A folder for PATH, with kubectl, and helm and helm3 as far as they are there. */
  readonly bin: string
  /** The pids of the components that run now. */
  readonly pids: Readonly<Partial<Record<ComponentName, number>>>
  /** Ends one component and waits for its end. */
  stopComponent(name: ComponentName): Promise<void>
  /**
   * Starts one component with its data and its port of before; nothing happens when it runs.
   * Waits until etcd listens or the API server is ready; of the others it only knows that they run.
   */
  startComponent(name: ComponentName): Promise<void>
  /** Ends every process and removes the folder; may be called again. */
  stop(): Promise<void>
}

/** How to start a control plane; every field may be left out. */
export interface ControlPlaneOptions {
  /** The folder to make; by default a new one in the system's temporary folder. */
  readonly dir?: string
  /** `process`, the default: it ends with this process, however that ends. */
  readonly lifetime?: 'process' | 'detached'
  readonly config?: ClusterConfig
  /** Further flags of kube-apiserver. */
  readonly apiServerFlags?: readonly string[]
  /** By default they are found, or built. */
  readonly programs?: Programs
  /** Gets one line at a time; by default the lines go to stderr. */
  readonly progress?: (line: string) => void
  /** Ends the start and removes what there is by then. */
  readonly signal?: AbortSignal
  /** Gives a loopback port that is free now; asked again when somebody else takes it first. */
  readonly choosePort?: () => Promise<number>
}

const nodes = ['node-1', 'node-2']
const attempts = 3

/**
 * Starts a control plane and waits until pods can run in it. Fails with one error that holds the
 * last lines of the log when a component ends; then nothing is left behind.
 */
export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const config = options.config ?? readConfig()
  const progress = options.progress ?? (line => void process.stderr.write(`${line}\n`))
  const { signal } = options
  const programs = options.programs ?? (await findPrograms({ config, progress, signal }))
  const dir = options.dir ?? (await mkdtemp(join(tmpdir(), 'sluice-cluster-')))
  const started = performance.now()
  const reaper = startReaper(dir)
  try {
    progress(`control plane: starting in ${dir}`)
    const record = await boot(dir, { ...options, programs })
    await linkPrograms(join(dir, 'bin'), programs, config)
    const seconds = ((performance.now() - started) / 1000).toFixed(1)
    progress(`control plane: ready at ${record.admin.url} after ${seconds} s`)
    if (options.lifetime !== 'detached') return handle(dir, record, () => release(reaper, 'stop'))
    await release(reaper, 'keep')
    return handle(dir, record)
  } catch (error) {
    await removeCluster(dir)
    await release(reaper, 'stop')
    throw error
  }
}

/** The control plane of a folder that a start made complete; undefined when there is none. */
export async function openControlPlane(dir: string): Promise<ControlPlane | undefined> {
  const record = await readRecord(dir)
  return record && handle(dir, record)
}

function handle(dir: string, record: ClusterRecord, gone = async () => {}): ControlPlane {
  return {
    dir,
    url: record.admin.url,
    etcd: etcdUrl(record.etcdPort),
    kubeconfig: join(dir, 'kubeconfig'),
    auditLog: auditLogFile(dir),
    bin: join(dir, 'bin'),
    get pids() {
      return runningPids(dir)
    },
    stopComponent: name => endComponent(dir, name),
    async startComponent(name) {
      if (runningProcess(dir, name)) return
      await launch(dir, name, record.commands[name])
      await componentReady(record, name, { dir, components: [name] })
    },
    async stop() {
      await removeCluster(dir)
      await gone()
    },
  }
}

async function boot(
  dir: string,
  options: ControlPlaneOptions & { readonly programs: Programs },
): Promise<ClusterRecord> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await bootOnce(dir, options)
    } catch (error) {
      const retry = error instanceof ComponentEnded && error.addressInUse && attempt < attempts
      if (!retry) throw error
      await removeCluster(dir)
    }
  }
}

async function bootOnce(
  dir: string,
  options: ControlPlaneOptions & { readonly programs: Programs },
): Promise<ClusterRecord> {
  const { programs, signal, choosePort = freePort, apiServerFlags = [] } = options
  await makeFolder(dir)
  const [etcdPort, apiPort] = [await choosePort(), await choosePort()]
  const { files, admin } = await writeCredentials(dir, `https://127.0.0.1:${apiPort}`)
  const kubeconfig = files.kubeconfigs['kube-scheduler']
  await writeFile(schedulerConfigFile(dir), schedulerConfig(kubeconfig))
  const ports = { etcdPort, apiPort }
  const commands = componentCommands({
    dir,
    ...ports,
    programs,
    credentials: files,
    apiServerFlags,
  })
  const record = { admin, etcdPort, commands }

  const running: ComponentName[] = []
  const watch: Watch = { dir, components: running, signal }
  const begin = async (name: ComponentName) => {
    signal?.throwIfAborted()
    await launch(dir, name, commands[name])
    running.push(name)
    await componentReady(record, name, watch)
  }
  await begin('etcd')
  await begin('kube-apiserver')
  for (const node of nodes) {
    await until(`node ${node} is registered`, watch, () => registerNode(admin, node))
  }
  for (const name of ['kwok', 'kube-controller-manager', 'kube-scheduler'] as const) {
    await begin(name)
  }
  await until('both nodes are Ready', watch, () => nodesReady(admin, nodes.length))
  await until('the default ServiceAccount exists', watch, () => serviceAccountPresent(admin))
  await writeRecord(dir, record)
  return record
}

async function componentReady(
  record: ClusterRecord,
  name: ComponentName,
  watch: Watch,
): Promise<void> {
  if (name === 'etcd') await until('etcd listens', watch, () => listens(record.etcdPort))
  if (name === 'kube-apiserver') {
    await until('the API server is ready', watch, () => apiReady(record.admin))
  }
}

async function linkPrograms(bin: string, programs: Programs, config: ClusterConfig): Promise<void> {
  await symlink(programs.kubectl, join(bin, 'kubectl'))
  for (const [name, link] of [['helm4', 'helm'] as const, ['helm3', 'helm3'] as const]) {
    const program = locateProgram(name, config)
    if (program !== undefined) await symlink(program, join(bin, link))
  }
}

function startReaper(dir: string): ChildProcess {
  const reaper = spawn(process.execPath, [join(import.meta.dirname, 'reaper.ts'), dir], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  reaper.unref()
  return reaper
}

async function release(reaper: ChildProcess, word: 'keep' | 'stop'): Promise<void> {
  if (reaper.exitCode !== null || reaper.signalCode !== null) return
  const exit = once(reaper, 'exit')
  reaper.stdin?.end(word)
  reaper.ref()
  await exit
}
