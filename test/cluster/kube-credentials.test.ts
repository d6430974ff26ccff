// Credentials that end while we run: tokens and client certificates in files that somebody renews,
// and the connections that began with the old ones.

import { createPrivateKey, sign } from 'node:crypto'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { parse, stringify } from 'yaml'

import { KubeClient } from '#kube/client.ts'
import { fromPod } from '#kube/connect.ts'
import type { Connection } from '#kube/connection.ts'
import { Forbidden, Retryable } from '#kube/errors.ts'
import { fromKubeconfig } from '#kube/kubeconfig.ts'
import { NAMESPACES, resource } from '#kube/resources.ts'
import { startControlPlane } from './control-plane.ts'
import type { ControlPlane } from './control-plane.ts'
import { issueClientCertificate } from './credentials.ts'
import { eventually } from './eventually.ts'
import { configMap, CONFIG_MAPS, newNamespace, reflect } from './reflections.ts'

let cluster: ControlPlane
let direct: KubeClient
beforeAll(async () => {
  cluster = await startControlPlane({ progress: () => {} })
  direct = new KubeClient(await fromKubeconfig(cluster.kubeconfig))
  const ref = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRoleBinding' }
  await direct.create(resource(ref.apiVersion, 'clusterrolebindings', ref.kind, false), {
    ...ref,
    metadata: { name: 'pods-of-default' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
    subjects: [{ kind: 'ServiceAccount', namespace: 'default', name: 'default' }],
  } as never)
})
afterAll(async () => {
  await direct?.close()
  await cluster?.stop()
})

async function folder(files: Readonly<Record<string, string>>): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'sluice-credentials-'))
  onTestFinished(() => rm(dir, { recursive: true }))
  for (const [name, text] of Object.entries(files)) await writeFile(join(dir, name), text)
  return dir
}

function clientOf(connection: Connection): KubeClient {
  const client = new KubeClient(connection)
  onTestFinished(() => client.close())
  return client
}

const clusterFile = (name: string) => readFile(join(cluster.dir, 'credentials', name), 'utf8')

/** A token of the ServiceAccount `default`, as the API server would issue it. */
async function token(validMs: number): Promise<string> {
  const { metadata } = await direct.get(resource('v1', 'serviceaccounts', 'ServiceAccount'), {
    namespace: 'default',
    name: 'default',
  })
  const now = Math.floor(Date.now() / 1000)
  const account = { namespace: 'default', serviceaccount: { name: 'default', uid: metadata.uid } }
  const claims = {
    iss: 'https://kubernetes.default.svc.cluster.local',
    aud: ['https://kubernetes.default.svc.cluster.local'],
    sub: 'system:serviceaccount:default:default',
    iat: now - 3600,
    nbf: now - 3600,
    // The API server allows clocks to differ by a minute.
    exp: now - 60 + validMs / 1000,
    jti: `test-${Math.random()}`,
    'kubernetes.io': account,
  }
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const text = `${part({ alg: 'RS256' })}.${part(claims)}`
  const key = createPrivateKey(await clusterFile('service-account.key'))
  return `${text}.${sign('sha256', Buffer.from(text), key).toString('base64url')}`
}

/** Waits until who asks with exactly this connection is refused. */
async function refused(connection: Connection): Promise<void> {
  const headers = await connection.headers(false)
  const tls = await connection.tls()
  const frozen = clientOf({ ...connection, headers: async () => headers, tls: async () => tls })
  await eventually(() => expect(frozen.list(NAMESPACES, { limit: 1 })).rejects.toThrow('401'))
}

/** Long enough for the first list, watch and write, also on a busy machine. */
const firstMs = 20_000

test('a pod goes on when its token has expired and the kubelet has renewed the file', async () => {
  const namespace = await newNamespace(direct)
  const dir = await folder({ token: await token(firstMs), 'ca.crt': await clusterFile('ca.crt') })
  const { hostname, port } = new URL(cluster.url)
  const env = { KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port }
  const connection = await fromPod({ env, serviceAccountDir: dir })
  const client = clientOf(connection)
  // Its watch begins anew each second, and so is refused as well.
  const watchSeconds = { min: 1, max: 1 }
  const reflection = await reflect({ client, namespace, watchSeconds })
  await client.create(CONFIG_MAPS, configMap(namespace, 'before'))

  await refused(connection)
  await expect(client.list(NAMESPACES)).rejects.toBeInstanceOf(Forbidden)
  await writeFile(join(dir, 'token'), await token(600_000))
  await client.create(CONFIG_MAPS, configMap(namespace, 'after'))
  await reflection.caughtUp(direct)
  expect(reflection.seen).toEqual(['add before', 'add after'])
})

test('a client certificate that expires is exchanged for the one in the files', async () => {
  const namespace = await newNamespace(direct)
  const certificate = (validMs: number) =>
    issueClientCertificate(cluster.dir, { user: 'ops', groups: ['system:masters'], validMs })
  const first = await certificate(firstMs)
  const dir = await folder({ 'tls.crt': first.cert, 'tls.key': first.key })
  const config = parse(await readFile(cluster.kubeconfig, 'utf8')) as Record<string, unknown>
  const user = { 'client-certificate': 'tls.crt', 'client-key': 'tls.key' }
  const kubeconfig = join(dir, 'kubeconfig')
  await writeFile(kubeconfig, stringify({ ...config, users: [{ name: 'admin', user }] }))
  const connection = await fromKubeconfig(kubeconfig)
  const client = clientOf(connection)
  const watchSeconds = { min: 1, max: 1 }
  const reflection = await reflect({ client, namespace, watchSeconds })
  await client.create(CONFIG_MAPS, configMap(namespace, 'before'))

  await refused(connection)
  const second = await certificate(600_000)
  // Half of it first: a certificate whose key has not come yet.
  await writeFile(join(dir, 'tls.crt'), second.cert)
  const halfway = client.list(NAMESPACES)
  await expect(halfway).rejects.toBeInstanceOf(Retryable)
  await writeFile(join(dir, 'tls.key'), second.key)
  await client.create(CONFIG_MAPS, configMap(namespace, 'after'))
  await reflection.caughtUp(direct)
  expect(reflection.seen).toEqual(['add before', 'add after'])
})
