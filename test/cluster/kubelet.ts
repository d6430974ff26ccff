// Plays the kubelet for pods of the product: starts what the API server has stored of a pod, from the
// file tree of the image, with the environment, the token and the files that a kubelet would give it.
// Only the addresses differ where all pods share this machine: each then listens on loopback, on free ports.

import { mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import type { KubeObject } from '#api/kubernetes.ts'
import type { KubeClient } from '#kube/client.ts'
import { PODS, resource, SECRETS } from '#kube/resources.ts'
import { startNode } from '../../dev/child.ts'
import type { Child } from '../../dev/child.ts'
import type { ControlPlane } from './control-plane.ts'

/** A pod as the API server stores it, as far as a kubelet needs it to start the product. */
export interface StoredPod extends KubeObject {
  readonly spec: {
    readonly serviceAccountName: string
    readonly volumes?: readonly Volume[]
    readonly containers: readonly Container[]
  }
  readonly status?: { readonly phase?: string; readonly podIP?: string }
}

interface Volume {
  readonly name: string
  readonly projected?: object
  readonly secret?: {
    readonly secretName: string
    readonly items: readonly { readonly key: string; readonly path: string }[]
  }
}

interface Container {
  readonly name: string
  readonly image: string
  readonly command?: readonly string[]
  readonly args?: readonly string[]
  readonly workingDir?: string
  readonly env?: readonly {
    readonly name: string
    readonly value?: string
    readonly valueFrom?: { readonly fieldRef: { readonly fieldPath: string } }
  }[]
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[]
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string }[]
  readonly readinessProbe?: { readonly httpGet: { readonly path: string; readonly port: string } }
}

/** What the program of a container is told; what stands before it is for Node. */
export function flagsOf({ args = [] }: Pick<Container, 'args'>): readonly string[] {
  return args.slice(args.findIndex(each => each.endsWith('.js')) + 1)
}

/** Where pods are played. */
export interface Node {
  readonly cluster: ControlPlane
  readonly client: KubeClient
  /** The file tree of the image. */
  readonly tree: string
  /** Each pod listens at its own address, on the ports that it names. */
  readonly ownAddresses?: true
  readonly onLine: (line: string) => void
}

const accountDir = '/var/run/secrets/kubernetes.io/serviceaccount'
const accounts = resource('v1', 'serviceaccounts', 'ServiceAccount')

/** Starts the one container of a pod and waits until it says that it is ready. */
export async function startPod(node: Node, pod: StoredPod): Promise<Child> {
  const [container, ...others] = pod.spec.containers
  if (!container || others.length > 0) throw new Error('a pod of one container is expected')
  const { command = [], args = [] } = container
  // The image's own entry point is Node, and the chart leaves it so.
  if (command.length > 0) throw new Error(`unexpected command ${command.join(' ')}`)
  const dir = await writeAccount(node, pod, container)
  const mounted = await mountSecrets(node, pod)
  const elsewhere = [`--service-account-dir=${dir}`, ...listening(node, pod, container)]
  return startNode({
    args: [...args.map(arg => inMounts(arg, mounted)), ...elsewhere],
    cwd: node.tree,
    env: await environmentOf(node, pod, container),
    onLine: node.onLine,
  })
}

/** Flags by which the process of a pod listens where others find it. */
function listening(
  { ownAddresses }: Node,
  { status }: StoredPod,
  { ports = [] }: Container,
): readonly string[] {
  const flags = { probes: 'probes-', https: '' }
  return ports.flatMap(({ name }) => {
    const prefix = flags[name as keyof typeof flags]
    if (ownAddresses) return [`--${prefix}host=${status?.podIP}`]
    return [`--${prefix}host=127.0.0.1`, `--${prefix}port=0`]
  })
}

/** Whether a pod that listens at its own address is ready, by its own probe. */
export async function isReady({ spec, status }: StoredPod): Promise<boolean> {
  const { ports, readinessProbe } = spec.containers[0]!
  const { path, port: portName } = readinessProbe!.httpGet
  const { containerPort } = ports!.find(({ name }) => name === portName)!
  return (await fetch(`http://${status?.podIP}:${containerPort}${path}`)).ok
}

/** Writes into the status of a pod that its one container has ended, and how. */
export async function endPod(
  { client }: Pick<Node, 'client'>,
  { metadata, spec }: StoredPod,
  exitCode: number,
): Promise<void> {
  const { name, namespace = '' } = metadata
  const phase = exitCode === 0 ? 'Succeeded' : 'Failed'
  const containerStatuses = spec.containers.map(container => ({
    name: container.name,
    image: container.image,
    imageID: '',
    ready: false,
    restartCount: 0,
    state: { terminated: { exitCode, finishedAt: new Date().toISOString() } },
  }))
  const patch = { status: { phase, containerStatuses } }
  await client.mergePatch(PODS, { namespace, name }, patch, { subresource: 'status' })
}

/**
 * Puts what the Secrets of a pod hold now where the pod sees it, by one exchange of a link, as a kubelet
 * does every minute or so. Gives the folders by the paths at which the pod mounts them.
 */
export async function mountSecrets(
  { cluster, client }: Node,
  { metadata, spec }: StoredPod,
): Promise<Mounts> {
  const { name, namespace = '' } = metadata
  const mounts: [string, string][] = []
  for (const { name: volume, mountPath } of spec.containers[0]?.volumeMounts ?? []) {
    const { secret } = { ...spec.volumes?.find(each => each.name === volume) }
    if (!secret) continue
    const { data = {} } = await client.get(SECRETS, { namespace, name: secret.secretName })
    const dir = join(cluster.dir, 'pods', name, volume)
    await exchange(
      dir,
      secret.items.map(({ key, path }) => [path, Buffer.from(data[key] ?? '', 'base64')]),
    )
    mounts.push([mountPath, dir])
  }
  return mounts
}

/** The path in the pod, and the folder here. */
type Mounts = readonly (readonly [string, string])[]

function inMounts(arg: string, mounts: Mounts): string {
  return mounts.reduce((text, [path, dir]) => text.replace(path, dir), arg)
}

async function exchange(dir: string, files: readonly (readonly [string, Buffer])[]): Promise<void> {
  await mkdir(dir, { recursive: true })
  const next = await mkdtemp(join(dir, '..'))
  for (const [path, bytes] of files) {
    await writeFile(join(next, path), bytes)
    await rm(join(dir, path), { force: true })
    await symlink(join('..data', path), join(dir, path))
  }
  const link = join(dir, '..data_tmp')
  await symlink(next, link)
  await rename(link, join(dir, '..data'))
}

async function environmentOf({ cluster }: Node, pod: StoredPod, { env = [] }: Container) {
  const { hostname, port } = new URL(cluster.url)
  const given = env.map(({ name, value, valueFrom }) => [
    name,
    valueFrom ? fieldOf(pod, valueFrom.fieldRef.fieldPath) : (value ?? ''),
  ])
  return {
    ...(await imageEnvironment()),
    HOSTNAME: pod.metadata.name,
    KUBERNETES_SERVICE_HOST: hostname,
    KUBERNETES_SERVICE_PORT: port,
    ...(Object.fromEntries(given) as Readonly<Record<string, string>>),
  }
}

function fieldOf(pod: StoredPod, path: string): string {
  const value = path
    .split('.')
    .reduce<unknown>((found, key) => (found as Readonly<Record<string, unknown>>)[key], pod)
  if (typeof value !== 'string') throw new Error(`the pod has no ${path}`)
  return value
}

/** What the Dockerfile sets. */
async function imageEnvironment(): Promise<Readonly<Record<string, string>>> {
  const text = await readFile(join(import.meta.dirname, '..', '..', 'Dockerfile'), 'utf8')
  const lines = text.matchAll(/^ENV (\w+)=(\S+)$/gm)
  return Object.fromEntries([...lines].map(([, name, value]) => [name!, value!]))
}

/** The files of the pod's ServiceAccount, which the API server has asked for in the pod it stored. */
async function writeAccount(node: Node, pod: StoredPod, container: Container): Promise<string> {
  const { cluster, client } = node
  const { name, namespace = '', uid = '' } = pod.metadata
  const mount = container.volumeMounts?.find(({ mountPath }) => mountPath === accountDir)
  const volume = pod.spec.volumes?.find(each => each.name === mount?.name)
  if (!volume?.projected) throw new Error(`pod ${name} mounts no token`)
  const request = {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    metadata: { namespace, name: pod.spec.serviceAccountName },
    spec: {
      expirationSeconds: 3607,
      boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name, uid },
    },
  }
  const answer = await client.create(accounts, request, { subresource: 'token' })
  const { token } = (answer as KubeObject & { readonly status: { readonly token: string } }).status
  const dir = join(cluster.dir, 'pods', name)
  await mkdir(dir, { recursive: true })
  const ca = await readFile(join(cluster.dir, 'credentials', 'ca.crt'), 'utf8')
  for (const [file, text] of Object.entries({ token, namespace, 'ca.crt': ca })) {
    await writeFile(join(dir, file), text)
  }
  return dir
}
