// Reads a kubeconfig. The client library is loaded only here and only then: it knows every way of
// getting credentials (exec plugins, OIDC), and costs 60 MiB that a pod does without.
import { readFile } from 'node:fs/promises'
import { delimiter, dirname, resolve } from 'node:path'
import type { Cluster, KubeConfig } from '@kubernetes/client-node'
import type { Connection, TlsMaterial } from './connection.ts'

/** Headers are asked for again after this age; certificates for every connection. */
const CREDENTIALS_AGE_MS = 30_000

interface Credentials {
  readonly headers: Readonly<Record<string, string>>
  readonly tls: TlsMaterial
}

/**
 * Connects as the current context of a kubeconfig (several files: joined as in KUBECONFIG, the
 * first entry of a name counts). Throws one line that names the file and what is missing.
 */
export async function fromKubeconfig(path: string): Promise<Connection> {
  const config = await load(path)
  const cluster = currentCluster(config, path)
  if (cluster.proxyUrl) {
    throw new Error(`${path}: cluster ${cluster.name} has a proxy-url, which is not supported`)
  }
  return {
    server: cluster.server,
    source: `context ${config.getCurrentContext()} of ${path}`,
    namespace: config.getContextObject(config.getCurrentContext())?.namespace ?? 'default',
    ...agingCredentials(config, path),
  }
}

async function load(path: string): Promise<KubeConfig> {
  const library = await import('@kubernetes/client-node')
  const config = new library.KubeConfig()
  for (const file of path.split(delimiter).filter(each => each !== '')) {
    const next = new library.KubeConfig()
    try {
      next.loadFromString(await withTokens(file, library.loadYaml))
      next.makePathsAbsolute(dirname(file))
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error)
      throw new Error(`${file}: the kubeconfig cannot be read: ${why}`, { cause: error })
    }
    config.clusters = joined(config.clusters, next.clusters)
    config.users = joined(config.users, next.users)
    config.contexts = joined(config.contexts, next.contexts)
    config.currentContext ||= next.currentContext
  }
  return config
}

interface KubeconfigFile {
  readonly users?: readonly {
    readonly user?: { readonly tokenFile?: string; token?: string } | null
  }[]
}

/** The library does not know `tokenFile`, which kubectl does, and prefers to `token`. */
async function withTokens(file: string, parse: <T>(text: string) => T): Promise<string> {
  const config = parse<KubeconfigFile>(await readFile(file, 'utf8'))
  for (const { user } of config.users ?? []) {
    if (!user?.tokenFile) continue
    user.token = (await readFile(resolve(dirname(file), user.tokenFile), 'utf8')).trim()
  }
  return JSON.stringify(config)
}

function joined<T extends { name: string }>(first: readonly T[], next: readonly T[]): T[] {
  const names = new Set(first.map(each => each.name))
  return [...first, ...next.filter(each => !names.has(each.name))]
}

function currentCluster(config: KubeConfig, path: string): Cluster {
  const name = config.getCurrentContext()
  if (!name) throw new Error(`${path}: no current-context, set one with kubectl config use-context`)
  const context = config.getContextObject(name)
  if (context === null) throw new Error(`${path}: the current-context ${name} is not in contexts`)
  const cluster = config.getCluster(context.cluster)
  if (cluster === null) {
    throw new Error(`${path}: context ${name}: the cluster ${context.cluster} is not in clusters`)
  }
  if (context.user && config.getUser(context.user) === null) {
    throw new Error(`${path}: context ${name}: the user ${context.user} is not in users`)
  }
  if (!URL.canParse(cluster.server)) {
    throw new Error(`${path}: cluster ${cluster.name}: server ${cluster.server} is not a URL`)
  }
  return cluster
}

function agingCredentials(first: KubeConfig, path: string): Pick<Connection, 'headers' | 'tls'> {
  let config = first
  let reading: Promise<Credentials> | undefined
  let headers: Credentials['headers'] | undefined
  let askedAt = Number.NEGATIVE_INFINITY
  const readAgain = async () => {
    config = await load(path)
    return credentialsOf(config, path)
  }
  return {
    // Files may be exchanged one after the other: a connection begins with what they say now.
    tls: async () => (await credentialsOf(config, path)).tls,
    headers: async fresh => {
      const now = performance.now()
      if (headers && !fresh && now - askedAt <= CREDENTIALS_AGE_MS) return headers
      // Many requests are refused at once, and a plugin is a process: one answer is for all.
      const asked = fresh ? (reading ??= readAgain()) : credentialsOf(config, path)
      try {
        headers = (await asked).headers
        askedAt = now
        return headers
      } finally {
        if (fresh) reading = undefined
      }
    },
  }
}

type HttpsOptions = Parameters<KubeConfig['applyToHTTPSOptions']>[0]

async function credentialsOf(config: KubeConfig, path: string): Promise<Credentials> {
  const cluster = config.getCurrentCluster()
  if (cluster?.server.startsWith('http:')) return { headers: {}, tls: {} }
  const options: HttpsOptions = {}
  try {
    await config.applyToHTTPSOptions(options)
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new Error(`${path}: no credentials: ${why}`, { cause: error })
  }
  const basic = typeof options.auth === 'string' ? basicAuthorization(options.auth) : {}
  return {
    headers: { ...basic, ...textHeaders(options.headers) },
    tls: {
      ...tlsOf(options),
      ...(cluster?.tlsServerName ? { servername: cluster.tlsServerName } : {}),
    },
  }
}

function tlsOf({ ca, cert, key, rejectUnauthorized }: HttpsOptions): TlsMaterial {
  return {
    ...(isPem(ca) ? { ca } : {}),
    ...(isPem(cert) ? { cert } : {}),
    ...(isPem(key) ? { key } : {}),
    ...(rejectUnauthorized === undefined ? {} : { rejectUnauthorized }),
  }
}

function basicAuthorization(userAndPassword: string): Record<string, string> {
  return { authorization: `Basic ${Buffer.from(userAndPassword).toString('base64')}` }
}

function textHeaders(headers: unknown): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers ?? {}).map(([name, value]) => [name.toLowerCase(), String(value)]),
  )
}

function isPem(value: unknown): value is string | Buffer {
  return typeof value === 'string' || Buffer.isBuffer(value)
}
