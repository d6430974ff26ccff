// The local control plane behaves like a cluster: controllers, scheduler and kubelets do their
// work, parts of it can be stopped, and it leaves nothing behind.

import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import {
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

import { stringify } from 'yaml'
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest'

import { auditLines } from './audit-log.ts'
import { helm, helm3, kubectl, kubectlJson, type CommandTarget } from './commands.ts'
import { openControlPlane, startControlPlane, type ControlPlane } from './control-plane.ts'
import { readConfig } from './config.ts'
import { eventually } from './eventually.ts'
import { isRunning, startedAt, type ProcessId } from './processes.ts'
import { findPrograms } from './programs.ts'

const shared = inject('cluster')

interface ObjectList {
  readonly items: readonly { readonly metadata: { readonly name: string } }[]
}

interface Deployment {
  readonly spec: { readonly replicas: number }
  readonly status: { readonly readyReplicas?: number; readonly replicas?: number }
}

function deployment(name: string, replicas: number, image = 'app:1') {
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name },
    spec: {
      replicas,
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: { containers: [{ name: 'app', image }] },
      },
    },
  }
}

async function apply(target: CommandTarget, namespace: string, ...objects: unknown[]) {
  const input = objects.map(object => stringify(object)).join('---\n')
  await kubectl(target, ['apply', '-n', namespace, '-f', '-'], { input })
}

async function newNamespace(target: CommandTarget): Promise<string> {
  const name = `test-${Math.random().toString(36).slice(2, 10)}`
  await kubectl(target, ['create', 'namespace', name])
  onTestFinished(async () => {
    await kubectl(target, ['delete', 'namespace', name, '--wait=false', '--ignore-not-found'])
  })
  return name
}

function rolledOut(target: CommandTarget, namespace: string, name: string) {
  return kubectl(target, [
    'rollout',
    'status',
    `deployment/${name}`,
    '-n',
    namespace,
    '--timeout=100s',
  ])
}

function counted(target: CommandTarget, namespace: string, kinds: string) {
  return kubectlJson<ObjectList>(target, ['get', kinds, '-n', namespace]).then(l => l.items.length)
}

describe('controllers', () => {
  test('a Deployment of 10 becomes Ready, with an address for each pod', async () => {
    const namespace = await newNamespace(shared)
    await apply(shared, namespace, deployment('web', 10))
    await rolledOut(shared, namespace, 'web')

    const pods = await kubectl(shared, [
      'get',
      'pods',
      '-n',
      namespace,
      '-o',
      'jsonpath={range .items[*]}{.status.podIP}{"\\n"}{end}',
    ])
    expect(new Set(pods.stdout.trim().split('\n')).size).toBe(10)
  })

  test('an HPA scales up to minReplicas', async () => {
    const namespace = await newNamespace(shared)
    await apply(shared, namespace, deployment('web', 1), {
      apiVersion: 'autoscaling/v2',
      kind: 'HorizontalPodAutoscaler',
      metadata: { name: 'web' },
      spec: {
        scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
        minReplicas: 4,
        maxReplicas: 6,
      },
    })
    await eventually(async () => {
      const web = await kubectlJson<Deployment>(shared, ['get', 'deploy', 'web', '-n', namespace])
      expect([web.spec.replicas, web.status.readyReplicas]).toEqual([4, 4])
    })
  })

  test('a namespace is deleted with all that is in it', async () => {
    const namespace = await newNamespace(shared)
    await apply(shared, namespace, deployment('web', 3))
    await rolledOut(shared, namespace, 'web')
    await kubectl(shared, ['delete', 'namespace', namespace, '--timeout=100s'])
    const gone = await kubectl(shared, ['get', 'ns', namespace], { expectFailure: true })
    expect(gone.stderr).toContain('NotFound')
  })

  test('the ReplicaSets and pods of a deleted Deployment are collected', async () => {
    const namespace = await newNamespace(shared)
    await apply(shared, namespace, deployment('web', 3))
    await rolledOut(shared, namespace, 'web')
    expect(await counted(shared, namespace, 'replicasets,pods')).toBe(4)
    await kubectl(shared, ['delete', 'deployment', 'web', '-n', namespace])
    await eventually(async () => {
      expect(await counted(shared, namespace, 'replicasets,pods')).toBe(0)
    })
  })

  test('a Job completes', async () => {
    const namespace = await newNamespace(shared)
    await kubectl(shared, ['create', 'job', 'hook', '--image=app:1', '-n', namespace])
    const done = '--for=condition=complete'
    await kubectl(shared, ['wait', done, 'job/hook', '-n', namespace, '--timeout=100s'])
  })
})

describe('images', () => {
  test('a broken image runs and never gets Ready, a slow one does after a second', async () => {
    const namespace = await newNamespace(shared)
    await apply(
      shared,
      namespace,
      deployment('bad', 2, 'registry.local/app:broken'),
      deployment('late', 2, 'registry.local/slow:1'),
    )
    await rolledOut(shared, namespace, 'late')
    const which = ['-l', 'app=bad', '-n', namespace]
    const phases = ['get', 'pods', ...which, '-o', 'jsonpath={.items[*].status.phase}']
    await eventually(async () => {
      expect((await kubectl(shared, phases)).stdout).toBe('Running Running')
    })
    const bad = await kubectlJson<Deployment>(shared, ['get', 'deploy', 'bad', '-n', namespace])
    expect(bad.status.readyReplicas).toBeUndefined()
    expect(await secondsUntilReady(namespace, 'late')).toSatisfy((seconds: readonly number[]) =>
      seconds.every(s => s >= 1),
    )
  })
})

interface PodList {
  readonly items: readonly {
    readonly status: {
      readonly conditions: readonly { type: string; lastTransitionTime: string }[]
    }
  }[]
}

async function secondsUntilReady(namespace: string, app: string): Promise<readonly number[]> {
  const selector = ['-l', `app=${app}`, '-n', namespace]
  const { items } = await kubectlJson<PodList>(shared, ['get', 'pods', ...selector])
  return items.map(({ status }) => {
    const at = (type: string) =>
      Date.parse(status.conditions.find(c => c.type === type)?.lastTransitionTime ?? '')
    return (at('Ready') - at('Initialized')) / 1000
  })
}

describe('tools', () => {
  test('the audit log names the author of every write and holds no reads', async context => {
    if (shared.auditLog === undefined) return context.skip('this cluster has no audit log')
    const namespace = await newNamespace(shared)
    await apply(shared, namespace, deployment('web', 1))
    await rolledOut(shared, namespace, 'web')
    const own = await audited(shared.auditLog, namespace)
    const authors = own.map(event => `${event.user.username} ${event.objectRef?.resource}`)
    expect(authors).toContain('admin deployments')
    expect(authors).toContain('system:serviceaccount:kube-system:deployment-controller replicasets')
    expect(own.filter(event => ['get', 'list', 'watch'].includes(event.verb))).toEqual([])
  })

  test('a node removes a deleted pod once: the next one by its name stays', async context => {
    if (shared.auditLog === undefined) return context.skip('this cluster has no audit log')
    const namespace = await newNamespace(shared)
    await apply(shared, namespace, deployment('web', 5))
    await rolledOut(shared, namespace, 'web')
    await kubectl(shared, ['delete', 'pods', '--all', '-n', namespace])
    await rolledOut(shared, namespace, 'web')
    const { auditLog } = shared
    // A line is written after its answer.
    await eventually(async () => {
      const removals = (await audited(auditLog, namespace))
        .filter(event => event.verb === 'delete')
        .filter(event => event.user.username.endsWith('kwok'))
      expect(removals.map(event => event.responseStatus?.code)).toEqual([200, 200, 200, 200, 200])
    })
  })

  test('kubectl tells its words when it fails, and when it should have failed', async () => {
    await expect(kubectl(shared, ['get', 'nonsense'])).rejects.toThrow(/exit code 1\n.*nonsense/s)
    await expect(kubectl(shared, ['get', 'ns'], { expectFailure: true })).rejects.toThrow(
      'failure was expected',
    )
  })

  test('Helm 4 and Helm 3 install a chart', async () => {
    const chart = await mkdtemp(join(tmpdir(), 'sluice-chart-'))
    onTestFinished(() => rm(chart, { recursive: true }))
    await writeFile(join(chart, 'Chart.yaml'), 'apiVersion: v2\nname: web\nversion: 0.1.0\n')
    const namespace = await newNamespace(shared)
    for (const [run, major] of [[helm, 'v4'] as const, [helm3, 'v3'] as const]) {
      expect((await run(shared, ['version', '--short'])).stdout).toContain(major)
      await run(shared, ['install', `web-${major}`, chart, '-n', namespace])
    }
    const { stdout } = await helm(shared, ['list', '-q', '-n', namespace])
    expect(stdout.trim().split('\n')).toEqual(['web-v3', 'web-v4'])
  })
})

interface AuditEvent {
  readonly verb: string
  readonly user: { readonly username: string }
  readonly responseStatus?: { readonly code: number }
  readonly objectRef?: { readonly namespace?: string; readonly resource?: string }
}

async function audited(auditLog: string, namespace: string): Promise<readonly AuditEvent[]> {
  const events = (await auditLines(auditLog)).map(line => JSON.parse(line) as AuditEvent)
  return events.filter(event => event.objectRef?.namespace === namespace)
}

describe('an own control plane', () => {
  let own: ControlPlane
  let rejectedPorts = 0

  beforeAll(async () => {
    const occupied = createServer().listen(0, '127.0.0.1')
    await once(occupied, 'listening')
    own = await startControlPlane({
      async choosePort() {
        // The second port of all is the API server's: somebody else has it.
        if (rejectedPorts++ === 1) return (occupied.address() as AddressInfo).port
        const server = createServer().listen(0, '127.0.0.1')
        await once(server, 'listening')
        const { port } = server.address() as AddressInfo
        await new Promise(resolve => server.close(resolve))
        return port
      },
    })
    occupied.close()
  })

  afterAll(() => own.stop())

  test('tries other ports when one is taken', async () => {
    // Somebody else may take one of those, too.
    expect(rejectedPorts).toBeGreaterThanOrEqual(4)
    expect((await kubectl(own, ['get', '--raw', '/readyz'])).stdout).toBe('ok')
  })

  test('every component can be stopped and started', async () => {
    await own.stopComponent('kube-controller-manager')
    await own.stopComponent('kube-scheduler')
    expect(Object.keys(own.pids)).toEqual(['etcd', 'kube-apiserver', 'kwok'])
    await apply(own, 'default', deployment('web', 2))
    await own.startComponent('kube-controller-manager')
    await eventually(async () => expect(await counted(own, 'default', 'pods')).toBe(2))
    const waiting = await kubectlJson<Deployment>(own, ['get', 'deploy', 'web'])
    expect(waiting.status.readyReplicas).toBeUndefined()
    await own.startComponent('kube-scheduler')
    await rolledOut(own, 'default', 'web')
  })

  test('the API server and etcd come back at the same address with the same data', async () => {
    await apply(own, 'default', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'kept' } })
    await own.stopComponent('kube-apiserver')
    await own.stopComponent('etcd')
    await kubectl(own, ['get', 'configmap', 'kept'], { expectFailure: true })
    // Another handle on the same folder, as in another process.
    const other = await openControlPlane(own.dir)
    await other?.startComponent('etcd')
    await other?.startComponent('kube-apiserver')
    await kubectl(own, ['get', 'configmap', 'kept'])
    await apply(own, 'default', deployment('after', 2))
    await rolledOut(own, 'default', 'after')
  })
})

describe('failures', () => {
  test('a component that ends at its start is one error with its last words', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-test-'))
    onTestFinished(() => rm(folder, { recursive: true }))
    const scheduler = join(folder, 'scheduler')
    await writeFile(scheduler, '#!/bin/sh\necho "no luck today" >&2\nexit 1\n', { mode: 0o755 })
    const programs = { ...(await findPrograms()), 'kube-scheduler': scheduler }
    const dir = join(folder, 'cluster')
    const start = startControlPlane({ dir, programs, progress: () => {} })
    await expect(start).rejects.toThrow(/^kube-scheduler ended at its start.*\nno luck today$/s)
    expect(existsSync(dir)).toBe(false)
    expect(await processesNaming(dir)).toEqual([])
  })

  test('without any program and without Go the error lists the ways', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-test-'))
    onTestFinished(() => rm(folder, { recursive: true }))
    const config = readConfig({ HOME: folder, PATH: folder, KUBEBUILDER_ASSETS: folder })
    await expect(findPrograms({ config })).rejects.toThrow(
      /^etcd is missing: .*KUBEBUILDER_ASSETS.* on PATH; or install Go 1\.21/,
    )
  })

  test('a killed program leaves no cluster behind', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-test-'))
    onTestFinished(() => rm(folder, { recursive: true }))
    const dir = join(folder, 'cluster')
    const script = `
      import { startControlPlane } from '${join(import.meta.dirname, 'control-plane.ts')}'
      await startControlPlane({ dir: '${dir}' })
      process.stdout.write('up')
      setInterval(() => {}, 1000)`
    const child = spawn(process.execPath, ['--input-type=module', '-e', script])
    await once(child.stdout, 'data')
    expect((await processesNaming(dir)).length).toBeGreaterThanOrEqual(5)
    child.kill('SIGKILL')
    await eventually(async () => {
      expect(await processesNaming(dir)).toEqual([])
      expect(existsSync(dir)).toBe(false)
    })
  })
})

describe('the command line', () => {
  let cache: string

  beforeAll(async () => {
    cache = await realpath(await mkdtemp(join(tmpdir(), 'sluice-cache-')))
    await mkdir(join(cache, 'sluice', 'cluster'), { recursive: true })
    await symlink(join(readConfig().cacheDir, 'programs'), join(cache, 'sluice', 'programs'))
  })
  afterAll(async () => {
    for (const name of ['here', 'cut']) await cluster(['down', '--name', name])
    await rm(cache, { recursive: true, force: true })
  })

  function start(args: readonly string[]) {
    const child = spawn(process.execPath, [join(import.meta.dirname, 'main.ts'), ...args], {
      env: { ...process.env, XDG_CACHE_HOME: cache },
    })
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
    const done = once(child, 'close').then(([code]) => ({ code: code as number, stdout, stderr }))
    return { child, done }
  }

  function cluster(args: readonly string[]) {
    return start(args).done
  }

  test('up, status and down', async () => {
    const name = ['--name', 'here']
    const [one, two] = await Promise.all([cluster(['up', ...name]), cluster(['up', ...name])])
    expect([one.code, two.code], one.stderr + two.stderr).toEqual([0, 0])
    expect(one.stdout).toBe(two.stdout)
    expect(one.stderr + two.stderr).toMatch(/is starting or ending it, waiting/)
    const kubeconfig = /^export KUBECONFIG=(\S+)$/m.exec(one.stdout)?.[1] ?? ''
    const dir = dirname(kubeconfig)
    await kubectl({ kubeconfig, bin: join(dir, 'bin') }, ['get', 'nodes'])
    // Five components, and no reaper any more.
    expect((await processesNaming(dir)).length).toBe(5)

    const found = await cluster(['status', ...name])
    expect([found.code, found.stdout]).toEqual([0, expect.stringContaining('kube-apiserver')])
    const plane = await openControlPlane(dir)
    await plane?.stopComponent('kwok')
    expect((await cluster(['status', ...name])).code).toBe(3)
    const again = await cluster(['up', ...name])
    expect([again.code, again.stdout]).toEqual([0, one.stdout])
    expect((await cluster(['status', ...name])).code).toBe(0)

    expect((await cluster(['down', ...name])).code).toBe(0)
    expect(await readdir(join(cache, 'sluice', 'cluster'))).toEqual([])
    expect(await processesNaming(dir)).toEqual([])
    expect((await cluster(['status', ...name])).code).toBe(3)
    expect((await cluster(['down', ...name])).code).toBe(0)
  })

  test('an interrupted up leaves nothing behind', async () => {
    const { child, done } = start(['up', '--name', 'cut'])
    const dir = join(cache, 'sluice', 'cluster', 'cut')
    await eventually(async () => expect(existsSync(join(dir, 'pids', 'kube-apiserver'))).toBe(true))
    child.kill('SIGINT')
    expect(await done).toMatchObject({ code: 130, stdout: '' })
    expect(await readdir(dirname(dir))).toEqual([])
    expect(await processesNaming(dir)).toEqual([])
  })

  test.each(['--help', '-h'])('%s says what can be said to it', async flag => {
    const { code, stdout, stderr } = await cluster([flag])
    expect([code, stderr]).toEqual([0, ''])
    for (const word of ['up', 'status', 'down', '--name']) expect(stdout).toContain(`  ${word} `)
  })

  test.each([
    [[], 'usage: '],
    [['sideways'], 'usage: '],
    [['up', '--nmae', 'x'], "Unknown option '--nmae'"],
    [['up', '--name', '../x'], '--name ../x: use up to 40'],
  ])('wrong usage %j is one line and exit code 2', async (args, line) => {
    const { code, stdout, stderr } = await cluster(args)
    expect([code, stdout]).toEqual([2, ''])
    expect(stderr).toContain(line)
    expect(stderr.trimEnd().split('\n')).toHaveLength(1)
  })
})

// Every component names its cluster's folder on its command line.
async function processesNaming(dir: string): Promise<readonly ProcessId[]> {
  const found: ProcessId[] = []
  for (const entry of await readdir('/proc')) {
    const start = /^\d+$/.test(entry) ? startedAt(Number(entry)) : undefined
    if (start === undefined) continue
    const line = await readFile(`/proc/${entry}/cmdline`, 'utf8').catch(() => '')
    const id = { pid: Number(entry), startedAt: start }
    if (line.includes(dir) && isRunning(id)) found.push(id)
  }
  return found
}
