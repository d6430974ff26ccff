// The ServiceAccounts of both processes, with the roles of the chart and no right beside: what a role
// lacks is refused in every test, as it would be in a cluster.

import { cp, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import type { KubeObject } from '#api/kubernetes.ts'
import type { KindRef } from '#core/ref.ts'
import type { KubeClient } from '#kube/client.ts'
import { resource } from '#kube/resources.ts'
import { configuration, lease } from '../../dev/sluice.ts'
import type { Pods } from '../../dev/sluice.ts'
import { helm, kubectl } from './commands.ts'
import type { ControlPlane } from './control-plane.ts'

const { namespace } = lease
const accounts = resource('v1', 'serviceaccounts', 'ServiceAccount')
const chart = join(import.meta.dirname, '..', '..', 'charts', 'sluice')

/** The ServiceAccounts of both processes. */
export const sluiceAccounts = ['webhook', 'controller'].map(program => ({
  namespace,
  name: `${configuration}-${program}`,
}))

/** The users by which the audit log knows them. */
export const sluiceUsers: readonly string[] = sluiceAccounts.map(
  ({ name }) => `system:serviceaccount:${namespace}:${name}`,
)

/** The roles of the chart, as they are where these kinds are registered. */
export async function grantRoles(
  cluster: ControlPlane,
  { extraKinds = [], routeKinds = [], traffic = false }: Granted,
): Promise<void> {
  const render = ['template', configuration, chart, '--namespace', namespace]
  const all = ['--set', 'kruiseRollouts.takeOver=true', '--show-only', 'templates/roles.yaml']
  const kinds = ['--set-json', `extraKinds=${JSON.stringify(extraKinds)}`]
  const requests = [
    '--set-json',
    `traffic=${JSON.stringify({ enabled: traffic, extraKinds: routeKinds })}`,
  ]
  const { stdout } = await helm(cluster, [...render, ...kinds, ...requests, ...all])
  await kubectl(cluster, ['apply', '-f', '-'], { input: stdout })
}

/** For what there are rights. */
interface Granted {
  readonly extraKinds?: readonly KindRef[]
  readonly routeKinds?: readonly KindRef[]
  readonly traffic?: boolean
}

/** Makes the accounts and what binds them to the roles; gives their files, as the kubelet would. */
export async function makeAccounts(
  cluster: ControlPlane,
  client: KubeClient,
  granted: Granted = {},
): Promise<Pods> {
  await grantRoles(cluster, granted)
  const [webhook, controller] = await Promise.all([
    makeAccount(cluster, client, 'webhook'),
    makeAccount(cluster, client, 'controller'),
  ])
  return { webhook, controller }
}

async function makeAccount(cluster: ControlPlane, client: KubeClient, program: keyof Pods) {
  const metadata = { namespace, name: `${configuration}-${program}` }
  await client.create(accounts, { apiVersion: 'v1', kind: 'ServiceAccount', metadata })
  const request = {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    metadata,
    spec: { expirationSeconds: 4 * 3600 },
  }
  const answer = await client.create(accounts, request, { subresource: 'token' })
  const { token } = (answer as KubeObject & { readonly status: { readonly token: string } }).status
  const serviceAccountDir = join(cluster.dir, metadata.name)
  await mkdir(serviceAccountDir)
  await writeFile(join(serviceAccountDir, 'token'), token)
  await writeFile(join(serviceAccountDir, 'namespace'), namespace)
  await cp(join(cluster.dir, 'credentials', 'ca.crt'), join(serviceAccountDir, 'ca.crt'))
  return { server: new URL(cluster.url), serviceAccountDir }
}
