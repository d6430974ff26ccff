// `npm run cluster -- up|down|status [--name <name>]`: the local control plane from a shell. What a
// shell shall evaluate goes to stdout, everything for people to stderr.

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

import { removeCluster } from './cluster-folder.ts'
import { components } from './components.ts'
import { readConfig, type ClusterConfig } from './config.ts'
import { openControlPlane, startControlPlane, type ControlPlane } from './control-plane.ts'
import { withLock } from './lock.ts'

const exitCodes = { done: 0, failed: 1, usage: 2, down: 3, interrupted: 130 } as const
const usage = 'usage: npm run cluster -- up|down|status [--name <name>]'
const help = `npm run cluster -- COMMAND [--name NAME]
    A control plane on this machine, in one folder, for tests and for trying things out: etcd,
    kube-apiserver, kube-controller-manager, and kwok, which stands in for nodes.

  up       starts it, or what of it is missing; what it prints a shell can evaluate:
           eval "$(npm run -s cluster -- up)" sets KUBECONFIG and PATH
  status   says where it is, and what of it runs
  down     ends it, and removes the folder

  --name NAME   another one beside the first, of up to 40 of a-z, 0-9 and -; default unless given`

interface Request {
  readonly name: string
  readonly dir: string
  readonly config: ClusterConfig
  readonly signal: AbortSignal
}

const commands: Readonly<Record<string, (request: Request) => Promise<number>>> = {
  up: request => exclusively(request, () => up(request)),
  down: request => exclusively(request, () => down(request)),
  status,
}

async function main(args: readonly string[]): Promise<number> {
  const parsed = parse(args)
  if (parsed === 'help') {
    print(help)
    return exitCodes.done
  }
  if (typeof parsed === 'string') {
    say(parsed)
    return exitCodes.usage
  }
  const interruption = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    // Once: a second Ctrl-C ends this program at once, and the reaper does the cleaning.
    process.once(signal, () => interruption.abort(new Error(signal)))
  }
  const config = readConfig()
  const dir = join(config.cacheDir, 'cluster', parsed.name)
  try {
    return await parsed.command({ ...parsed, dir, config, signal: interruption.signal })
  } catch (error) {
    if (interruption.signal.aborted) {
      say('interrupted, nothing is left behind')
      return exitCodes.interrupted
    }
    say(`error: ${error instanceof Error ? error.message : String(error)}`)
    return exitCodes.failed
  }
}

interface Parsed {
  readonly name: string
  readonly command: (request: Request) => Promise<number>
}

function parse(args: readonly string[]): Parsed | string {
  try {
    const { positionals, values } = parseArgs({
      args: [...args],
      options: {
        name: { type: 'string', default: 'default' },
        help: { type: 'boolean', short: 'h' },
      },
      allowPositionals: true,
    })
    if (values.help) return 'help'
    const [verb = '', ...rest] = positionals
    const command = Object.hasOwn(commands, verb) ? commands[verb] : undefined
    if (!command || rest.length > 0) return usage
    if (!/^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$/.test(values.name)) {
      return `--name ${values.name}: use up to 40 of a-z, 0-9 and -, not - at either end`
    }
    return { name: values.name, command }
  } catch (error) {
    return `${(error as Error).message.split('\n')[0]}; ${usage}`
  }
}

function exclusively(request: Request, work: () => Promise<number>): Promise<number> {
  const waiting = (pid: number) =>
    say(`cluster ${request.name}: process ${pid} is starting or ending it, waiting for that`)
  return withLock({ path: request.dir, waiting, signal: request.signal }, work)
}

async function up(request: Request): Promise<number> {
  const { dir, config, signal } = request
  const found = await openControlPlane(dir)
  const running = found ? Object.keys(found.pids).length : 0
  if (found && running > 0) {
    await startMissing(found)
    say(`cluster ${request.name}: runs at ${found.url}`)
    tell(found)
    return exitCodes.done
  }
  // What is here was cut short, or did not survive the last start of this machine.
  await removeCluster(dir)
  tell(await startControlPlane({ dir, lifetime: 'detached', config, signal, progress: say }))
  return exitCodes.done
}

async function startMissing(cluster: ControlPlane): Promise<void> {
  for (const name of components) {
    if (cluster.pids[name] === undefined) {
      say(`${name}: starting it again`)
      await cluster.startComponent(name)
    }
  }
}

async function down(request: Request): Promise<number> {
  const existed = existsSync(request.dir)
  await removeCluster(request.dir)
  say(`cluster ${request.name}: ${existed ? 'ended and removed' : 'there is none'}`)
  return exitCodes.done
}

async function status(request: Request): Promise<number> {
  const cluster = await openControlPlane(request.dir)
  const pids = cluster?.pids ?? {}
  if (!cluster || Object.keys(pids).length === 0) {
    const name = request.name === 'default' ? '' : ` --name ${request.name}`
    print(`cluster ${request.name}: down; start it with: npm run cluster -- up${name}`)
    return exitCodes.down
  }
  print(`cluster ${request.name}: ${cluster.url}`)
  print(`  kubeconfig  ${cluster.kubeconfig}`)
  print(`  logs        ${join(cluster.dir, 'logs')}`)
  for (const name of components) {
    const pid = pids[name]
    print(`  ${name.padEnd(24)} ${pid === undefined ? 'down' : `pid ${pid}`}`)
  }
  return components.every(name => pids[name]) ? exitCodes.done : exitCodes.down
}

function tell(cluster: ControlPlane): void {
  print(`export KUBECONFIG=${quoted(cluster.kubeconfig)}`)
  print(`export PATH=${quoted(cluster.bin)}:"$PATH"`)
}

function quoted(word: string): string {
  return /^[\w./@%+=:,-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}

function say(line: string): void {
  process.stderr.write(`${line}\n`)
}

process.exitCode = await main(process.argv.slice(2))
