import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { connect, fromPod } from './connect.ts'
import { fromKubeconfig } from './kubeconfig.ts'

async function folder(files: Readonly<Record<string, string>> = {}): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'sluice-connection-'))
  onTestFinished(() => rm(dir, { recursive: true }))
  for (const [name, text] of Object.entries(files)) await writeFile(join(dir, name), text)
  return dir
}

const pod = { 'ca.crt': 'CA', token: 'first\n', namespace: 'mine\n' }
const env = { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '443' }

const kubeconfig = (changes: Readonly<Record<string, unknown>> = {}) =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'here',
    clusters: [{ name: 'one', cluster: { server: 'https://127.0.0.1:6443' } }],
    users: [{ name: 'me', user: { token: 'secret' } }],
    contexts: [{ name: 'here', context: { cluster: 'one', user: 'me', namespace: 'team' } }],
    ...changes,
  })

test('in a pod everything comes from the ServiceAccount, and a rotated token is seen', async () => {
  const dir = await folder(pod)
  const connection = await fromPod({ env, serviceAccountDir: dir })
  expect(connection).toMatchObject({ server: 'https://[fd00::1]:443', namespace: 'mine' })
  expect(String((await connection.tls()).ca)).toBe('CA')
  expect(await connection.headers(false)).toEqual({ authorization: 'Bearer first' })
  await writeFile(join(dir, 'token'), 'second')
  await writeFile(join(dir, 'ca.crt'), 'NEW CA')
  expect(await connection.headers(true)).toEqual({ authorization: 'Bearer second' })
  expect(await connection.headers(false)).toEqual({ authorization: 'Bearer second' })
  expect(String((await connection.tls()).ca)).toBe('NEW CA')
})

test('a token that is just being written is not taken for none', async () => {
  const dir = await folder(pod)
  const connection = await fromPod({ env, serviceAccountDir: dir })
  await writeFile(join(dir, 'token'), '')
  await expect(connection.headers(true)).rejects.toThrow('token is empty')
  expect(await connection.headers(false)).toEqual({ authorization: 'Bearer first' })
})

test('a pod without what it needs says which', async () => {
  const dir = await folder(pod)
  await expect(fromPod({ env: {}, serviceAccountDir: dir })).rejects.toThrow(
    'KUBERNETES_SERVICE_HOST is not set',
  )
  await writeFile(join(dir, 'token'), '')
  await expect(fromPod({ env, serviceAccountDir: dir })).rejects.toThrow('token is empty')
})

test('connect prefers the option, then KUBECONFIG, then the pod, then the home folder', async () => {
  const home = await folder()
  const dir = await folder({
    ...pod,
    option: kubeconfig(),
    variable: kubeconfig(),
  })
  const [option, variable] = [join(dir, 'option'), join(dir, 'variable')]
  const all = { ...env, HOME: home, KUBECONFIG: variable }
  const source = async (options: Parameters<typeof connect>[0]) => (await connect(options)).source
  const serviceAccountDir = dir

  expect(await source({ env: all, kubeconfig: option, serviceAccountDir })).toContain(option)
  expect(await source({ env: all, serviceAccountDir })).toContain(variable)
  expect(await source({ env: { ...env, HOME: home }, serviceAccountDir })).toContain('Service')
  await expect(connect({ env: { HOME: home }, serviceAccountDir: home })).rejects.toThrow(
    /no API server is configured: give --kubeconfig or KUBECONFIG/,
  )
  await mkdir(join(home, '.kube'))
  await writeFile(join(home, '.kube', 'config'), kubeconfig())
  expect(await source({ env: { HOME: home }, serviceAccountDir: home })).toContain(home)
})

test('a kubeconfig gives server, namespace and token; the first of several files counts', async () => {
  const other = kubeconfig({
    'current-context': 'there',
    users: [{ name: 'me', user: { token: 'other' } }],
  })
  const dir = await folder({ a: kubeconfig(), b: other })
  const connection = await fromKubeconfig(`${join(dir, 'a')}:${join(dir, 'b')}`)
  expect(connection).toMatchObject({ server: 'https://127.0.0.1:6443', namespace: 'team' })
  expect(await connection.headers(false)).toEqual({ authorization: 'Bearer secret' })
})

test('a token file is found beside its kubeconfig, and read again after a refusal', async () => {
  const users = [{ name: 'me', user: { token: 'stale', tokenFile: 'token' } }]
  const dir = await folder({ a: kubeconfig({ users }), token: 'first\n' })
  const { headers } = await fromKubeconfig(join(dir, 'a'))
  expect(await headers(false)).toEqual({ authorization: 'Bearer first' })
  await writeFile(join(dir, 'token'), 'second')
  const refused = await Promise.all([headers(true), headers(true)])
  expect(refused).toEqual(Array(2).fill({ authorization: 'Bearer second' }))
  expect(await headers(false)).toEqual({ authorization: 'Bearer second' })
})

test('certificate files are read for every connection', async () => {
  const user = { 'client-certificate': 'cert', 'client-key': 'key' }
  const dir = await folder({
    a: kubeconfig({ users: [{ name: 'me', user }] }),
    cert: 'FIRST',
    key: 'KEY',
  })
  const { tls } = await fromKubeconfig(join(dir, 'a'))
  expect(String((await tls()).cert)).toBe('FIRST')
  await writeFile(join(dir, 'cert'), 'SECOND')
  expect(String((await tls()).cert)).toBe('SECOND')
})

test('credentials of an exec plugin are used', async () => {
  const credential = {
    apiVersion: 'client.authentication.k8s.io/v1',
    kind: 'ExecCredential',
    status: { token: 'made' },
  }
  const exec = {
    apiVersion: credential.apiVersion,
    command: process.execPath,
    args: ['-p', JSON.stringify(JSON.stringify(credential))],
  }
  const dir = await folder({ a: kubeconfig({ users: [{ name: 'me', user: { exec } }] }) })
  const connection = await fromKubeconfig(join(dir, 'a'))
  expect(await connection.headers(false)).toEqual({ authorization: 'Bearer made' })
})

test.each<[string, Readonly<Record<string, unknown>>, string]>([
  ['no current context', { 'current-context': '' }, 'no current-context'],
  ['an unknown context', { 'current-context': 'x' }, 'the current-context x is not in contexts'],
  ['no such cluster', { clusters: [] }, 'the cluster one is not in clusters'],
  ['no such user', { users: [] }, 'the user me is not in users'],
  [
    'a proxy',
    {
      clusters: [
        { name: 'one', cluster: { server: 'https://here', 'proxy-url': 'http://proxy:3128' } },
      ],
    },
    'cluster one has a proxy-url, which is not supported',
  ],
  [
    'a server that is no URL',
    { clusters: [{ name: 'one', cluster: { server: 'here' } }] },
    'server here is not a URL',
  ],
])('%s is one line that names the file', async (_, changes, words) => {
  const dir = await folder({ a: kubeconfig(changes) })
  const path = join(dir, 'a')
  await expect(fromKubeconfig(path)).rejects.toThrow(words)
  await expect(fromKubeconfig(path)).rejects.toThrow(path)
})

test('a kubeconfig that cannot be read is one line that names the file', async () => {
  const dir = await folder({ a: 'clusters: [' })
  await expect(fromKubeconfig(join(dir, 'a'))).rejects.toThrow(/\/a: the kubeconfig cannot be read/)
  await expect(fromKubeconfig(join(dir, 'no'))).rejects.toThrow(/\/no: .*ENOENT/)
})
