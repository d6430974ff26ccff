// What the processes load in a pod. The client library reads kubeconfigs, and costs 60 MiB and more;
// a pod has its ServiceAccount's files.

import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { expect, onTestFinished, test } from 'vitest'

// Two processes are started, one after the other.
const longer = { timeout: 60_000 }
const root = new URL('../../', import.meta.url).href

/** Imports both processes' modules, connects, and prints the modules that it took from node_modules. */
const script = (connect: string) => `
  import { registerHooks } from 'node:module'
  const modules = new Set()
  registerHooks({
    resolve(specifier, context, next) {
      const { url } = next(specifier, context)
      const [, path] = /.*node_modules\\/(.+)/.exec(url) ?? []
      if (path) modules.add(path)
      return next(specifier, context)
    },
  })
  const load = path => import(${JSON.stringify(root)} + path)
  await load('controller/controller.ts')
  await load('webhook/webhook.ts')
  await load('kube/client.ts')
  await load('kube/lease.ts')
  const { connect } = await load('kube/connect.ts')
  await connect(${connect})
  console.log(JSON.stringify([...modules]))
`

async function loaded(connect: string): Promise<readonly string[]> {
  const args = ['--input-type=module', '--eval', script(connect)]
  const { stdout } = await promisify(execFile)(process.execPath, args)
  return JSON.parse(stdout) as readonly string[]
}

function isClientLibrary(path: string): boolean {
  return path.startsWith('@kubernetes/client-node/')
}

test(
  'in a pod neither the client library nor all of undici is loaded; outside both are',
  longer,
  async () => {
    const dir = await mkdtemp(join(tmpdir(), 'sluice-pod-'))
    onTestFinished(() => rm(dir, { recursive: true }))
    await writeFile(join(dir, 'token'), 'secret')
    await writeFile(join(dir, 'ca.crt'), 'CA')
    const kubeconfig = {
      'current-context': 'here',
      clusters: [{ name: 'one', cluster: { server: 'https://127.0.0.1:6443' } }],
      users: [{ name: 'me', user: { token: 'secret' } }],
      contexts: [{ name: 'here', context: { cluster: 'one', user: 'me' } }],
    }
    await writeFile(join(dir, 'kubeconfig'), JSON.stringify(kubeconfig))
    const pod = { KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: '443' }

    const inPod = await loaded(JSON.stringify({ env: pod, serviceAccountDir: dir }))
    expect(inPod).toContain('undici/lib/dispatcher/pool.js')
    expect(inPod).not.toContain('undici/index.js')
    expect(inPod.filter(isClientLibrary)).toEqual([])
    const outside = await loaded(JSON.stringify({ env: { KUBECONFIG: join(dir, 'kubeconfig') } }))
    expect(outside.filter(isClientLibrary)).not.toEqual([])
  },
)
