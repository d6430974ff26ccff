// Where the API server is and how we prove who we are: in a pod from the ServiceAccount's files,
// elsewhere from a kubeconfig. Files are read again as they rotate.
import { access, readFile } from 'node:fs/promises'
import { isIPv6 } from 'node:net'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Connection } from './connection.ts'
import { fromKubeconfig } from './kubeconfig.ts'

/** The environment variables of a process. */
export type Environment = Readonly<Record<string, string | undefined>>

/** Where `connect` looks. */
export interface ConnectOptions {
  readonly env: Environment
  /** The value of `--kubeconfig`; it goes before the environment. */
  readonly kubeconfig?: string
  /** The ServiceAccount's folder, where it is not the usual one. */
  readonly serviceAccountDir?: string
}

/** Where the kubelet puts a pod's ServiceAccount. */
const SERVICE_ACCOUNT_DIR = '/var/run/secrets/kubernetes.io/serviceaccount'

/** The kubelet renews a token minutes before it ends, so seconds of age do no harm. */
const TOKEN_AGE_MS = 10_000

/**
 * Finds the API server: `--kubeconfig`, then KUBECONFIG, then the pod's ServiceAccount, then
 * `~/.kube/config`. Throws one line that names what was tried.
 */
export async function connect(options: ConnectOptions): Promise<Connection> {
  const { env } = options
  const named = options.kubeconfig || env['KUBECONFIG']
  if (named) return fromKubeconfig(named)
  const dir = options.serviceAccountDir ?? SERVICE_ACCOUNT_DIR
  if (env['KUBERNETES_SERVICE_HOST'] && (await exists(join(dir, 'token')))) {
    return fromPod({ env, serviceAccountDir: dir })
  }
  const home = join(env['HOME'] ?? homedir(), '.kube', 'config')
  if (await exists(home)) return fromKubeconfig(home)
  throw new Error(
    `no API server is configured: give --kubeconfig or KUBECONFIG, or run in a pod (looked for ` +
      `${join(dir, 'token')} and ${home})`,
  )
}

/** Connects as the pod's ServiceAccount; throws one line that names the variable or file missing. */
export async function fromPod(options: Omit<ConnectOptions, 'kubeconfig'>): Promise<Connection> {
  const { env, serviceAccountDir: dir = SERVICE_ACCOUNT_DIR } = options
  const host = required(env, 'KUBERNETES_SERVICE_HOST')
  const port = required(env, 'KUBERNETES_SERVICE_PORT')
  const token = agingFile(join(dir, 'token'))
  await token(true)
  await readFile(join(dir, 'ca.crt'))
  return {
    server: `https://${isIPv6(host) ? `[${host}]` : host}:${port}`,
    source: `the ServiceAccount in ${dir}`,
    namespace: await namespaceIn(dir),
    tls: async () => ({ ca: await readFile(join(dir, 'ca.crt')) }),
    headers: async fresh => ({ authorization: `Bearer ${await token(fresh)}` }),
  }
}

function required(env: Environment, name: string): string {
  const value = env[name]
  if (value) return value
  throw new Error(`${name} is not set: outside a pod give --kubeconfig or KUBECONFIG`)
}

/** Gives a file's trimmed text, read again when it is older than TOKEN_AGE_MS. */
function agingFile(path: string): (fresh: boolean) => Promise<string> {
  let text = ''
  let readAt = Number.NEGATIVE_INFINITY
  return async fresh => {
    if (!fresh && performance.now() - readAt < TOKEN_AGE_MS) return text
    const read = (await readFile(path, 'utf8')).trim()
    // Not remembered: whoever asks next would be nobody for the API server.
    if (read === '') throw new Error(`${path} is empty: the kubelet has not written the token`)
    text = read
    readAt = performance.now()
    return text
  }
}

async function namespaceIn(dir: string): Promise<string> {
  const path = join(dir, 'namespace')
  return (await exists(path)) ? (await readFile(path, 'utf8')).trim() : 'default'
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
