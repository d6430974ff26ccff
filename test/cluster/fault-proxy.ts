// A TLS proxy between one client of ours and the real API server: every request is seen, numbered, and
// may be made to fail, so a test can say "when write 7 arrives" instead of hoping for a moment.
//   const proxy = await startFaultProxy(cluster.kubeconfig); give proxy.kubeconfig to the client
//   proxy.fault = ({ write }) => write === 7 ? { type: 'lose', meanwhile: killed } : undefined
// proxy.open() gives the exchanges under way (watches): reset, end, freeze, thaw, send bytes of yours.

import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { Agent, createServer, request as ask } from 'node:https'
import type { Server as HttpsServer } from 'node:https'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer as createTcpServer } from 'node:net'
import type { AddressInfo, Server as TcpServer, Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { parse, stringify } from 'yaml'

import { createAuthority, issue } from '#certs/authority.ts'
import { fromKubeconfig } from '#kube/kubeconfig.ts'
import { Sieve } from './line-sieve.ts'
import { narrowed, placeOf, verbOf } from './proxied-request.ts'
import type { ProxiedRequest } from './proxied-request.ts'

/** What happens to a request instead of being forwarded and answered. */
export type Fault =
  /** It never arrives: the connection is reset, after `meanwhile` if that is given. */
  | { readonly type: 'cut'; readonly meanwhile?: Meanwhile }
  /** It arrives and takes effect; its answer is lost: the connection is reset, after `meanwhile`. */
  | { readonly type: 'lose'; readonly meanwhile?: Meanwhile }
  /** It is held back until this is done; then it goes its way, if its connection was not reset. */
  | { readonly type: 'wait'; readonly meanwhile: Meanwhile }
  /** The API server is asked for another path, as if the client had asked for that one. */
  | { readonly type: 'instead'; readonly path: string }
  /** It never arrives, and nothing comes back: the connection stays. */
  | { readonly type: 'hang' }
  /** The proxy answers in the API server's place; `body` is sent as JSON unless it is text. */
  | {
      readonly type: 'answer'
      readonly status: number
      readonly headers?: Readonly<Record<string, string>>
      readonly body?: object | string
    }

/** Done at the very moment of the fault, which goes on when it is over. */
export type Meanwhile = (request: ProxiedRequest) => unknown

/** A request whose answer still streams, such as a watch. */
export interface Exchange {
  readonly request: ProxiedRequest
  /** Breaks the connection (RST). */
  readonly reset: () => void
  /** Ends the answer as if it were whole. */
  readonly end: () => void
  /** Holds back what comes from now on; the connection stays, as when a peer has vanished. */
  readonly freeze: () => void
  /** Lets everything through that was held back. */
  readonly thaw: () => void
  /** Puts bytes of its own into the answer. */
  readonly send: (text: string) => void
  /** Lets through only those of the lines that come from now on which pass; the others are lost. */
  readonly sift: (passes: (line: string) => boolean) => void
}

/** How a proxy is started. */
export interface FaultProxyOptions {
  /** The client sees the namespaced objects of this namespace alone, wherever it asks for all. */
  readonly onlyNamespace?: string
  /** What comes goes on at once, headers before their body: who decides about a request sees no body. */
  readonly streams?: boolean
}

/** A proxy in front of an API server. */
export interface FaultProxy {
  readonly url: string
  /** The path of a kubeconfig that leads through the proxy, with the rights of the given one. */
  readonly kubeconfig: string
  /** Decides about each request when it arrives; by default all pass. May be set at any time. */
  fault: (request: ProxiedRequest) => Fault | undefined
  /** Every request so far, in the order in which they came. */
  readonly requests: readonly ProxiedRequest[]
  /** Whether it was answered with an error, by the API server or by a fault. */
  readonly wasRefused: (request: ProxiedRequest) => boolean
  /** The exchanges whose answer has begun and not ended, the oldest first. */
  readonly open: () => readonly Exchange[]
  /** How many writes came so far, apart from Leases and questions for rights. */
  readonly writes: () => number
  /** Breaks all connections and listens no more. */
  readonly stop: () => Promise<void>
}

/** Starts a proxy in front of the API server of a kubeconfig's current context. */
export async function startFaultProxy(
  kubeconfig: string,
  options: FaultProxyOptions = {},
): Promise<FaultProxy> {
  const { server, tls } = await fromKubeconfig(kubeconfig)
  const lifetime = { now: Date.now(), days: 1 }
  const authority = await createAuthority(lifetime)
  const own = await issue(authority, { dnsNames: [], ips: ['127.0.0.1'], ...lifetime })
  const agent = new Agent({ keepAlive: true, ...(await tls()) })
  const passage = new Passage(server, agent, options)
  const https = createServer(own, (incoming, outgoing) => void passage.take(incoming, outgoing))
  const tcp = createTcpServer(socket => {
    passage.connected(socket)
    // The TLS socket over it cannot be reset; the plain one can.
    https.emit('connection', socket)
  }).listen(0, '127.0.0.1')
  await once(tcp, 'listening')
  const url = `https://127.0.0.1:${(tcp.address() as AddressInfo).port}`
  const folder = await mkdtemp(join(tmpdir(), 'sluice-proxy-'))
  return Object.assign(passage, {
    url,
    kubeconfig: await writeKubeconfig(kubeconfig, folder, { url, ca: authority.cert }),
    async stop() {
      await passage.end(tcp, https)
      await rm(folder, { recursive: true })
    },
  })
}

interface Leading {
  readonly url: string
  /** PEM. */
  readonly ca: string
}

async function writeKubeconfig(from: string, folder: string, to: Leading): Promise<string> {
  const config = parse(await readFile(from, 'utf8')) as {
    readonly clusters: { cluster: object }[]
  }
  const authority = Buffer.from(to.ca).toString('base64')
  for (const each of config.clusters) {
    each.cluster = { server: to.url, 'certificate-authority-data': authority }
  }
  const file = join(folder, 'kubeconfig')
  await writeFile(file, stringify(config), { mode: 0o600 })
  return file
}

/** Kinds that the product lists in all namespaces. */
const narrowable = ['deployments', 'replicasets', 'pods', 'rollouts']

/** Leases come by the clock, and who asks what it may do writes nothing. */
const uncounted = ['leases', 'selfsubjectaccessreviews']

class Passage {
  readonly requests: ProxiedRequest[] = []
  fault: FaultProxy['fault'] = () => undefined
  readonly #target: URL
  readonly #options: FaultProxyOptions
  readonly #agent: Agent
  readonly #sockets = new Map<number, Socket>()
  readonly #open = new Set<Exchange>()
  /** By their numbers. */
  readonly #refused = new Set<number>()
  #writes = 0

  constructor(target: string, agent: Agent, options: FaultProxyOptions) {
    this.#target = new URL(target)
    this.#agent = agent
    this.#options = options
  }

  readonly open = (): readonly Exchange[] => [...this.#open]
  readonly writes = (): number => this.#writes
  readonly wasRefused = ({ number }: ProxiedRequest): boolean => this.#refused.has(number)

  connected(socket: Socket): void {
    const port = socket.remotePort!
    this.#sockets.set(port, socket)
    socket.once('close', () => this.#sockets.delete(port))
    // The client breaks connections as well.
    socket.on('error', () => {})
  }

  async end(tcp: TcpServer, https: HttpsServer): Promise<void> {
    const closed = once(tcp, 'close')
    tcp.close()
    for (const socket of this.#sockets.values()) socket.destroy()
    https.close()
    this.#agent.destroy()
    await closed
  }

  async take(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    outgoing.on('error', () => {})
    const body = this.#options.streams === true ? '' : await bodyOf(incoming)
    // The client went away in the middle of it.
    if (body === undefined) return
    const request = this.#number(incoming, body)
    const fault = this.fault(request)
    const reset = () => this.#reset(incoming)
    if (fault?.type === 'hang') return
    if (fault?.type === 'answer') this.#answer(request, outgoing, fault)
    else if (fault?.type === 'cut') await lost(fault, request, reset)
    else await this.#forwarded(request, { outgoing, reset, ...(fault && { fault }) })
  }

  async #forwarded(request: ProxiedRequest, answering: Answering): Promise<void> {
    const { fault, outgoing, reset } = answering
    if (fault?.type === 'wait') await fault.meanwhile(request)
    // What a connection still had to deliver is lost when it is reset; when it is closed it is not.
    if (outgoing.req.socket.errored) return
    const path = fault?.type === 'instead' ? fault.path : request.path
    const reply = await this.#forward({ ...request, path }, outgoing)
    if (reply === undefined) return reset()
    this.#answered(request, reply.statusCode)
    if (fault?.type !== 'lose') return this.#pass(request, reply, answering)
    await bodyOf(reply)
    await lost(fault, request, reset)
  }

  #answer(request: ProxiedRequest, outgoing: ServerResponse, fault: Answer): void {
    const { status, headers, body = '' } = fault
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    outgoing.writeHead(status, { 'content-type': 'application/json', ...headers }).end(text)
    this.#answered(request, status)
  }

  #answered({ number }: ProxiedRequest, status = 0): void {
    if (status >= 400) this.#refused.add(number)
  }

  #number({ method = 'GET', url = '/', headers }: IncomingMessage, body: string): ProxiedRequest {
    const verb = verbOf(method, url)
    const place = placeOf(url)
    const reads = verb === 'get' || verb === 'list' || verb === 'watch'
    const counts = !reads && !uncounted.includes(place.resource)
    const number = this.requests.length + 1
    const write = counts ? { write: ++this.#writes } : {}
    const request = { number, ...write, verb, method, path: url, ...place, headers, body }
    this.requests.push(request)
    return request
  }

  /** Undefined: the API server did not answer, or the client did not wait for it. */
  async #forward(
    { method, path, headers, body }: ProxiedRequest,
    outgoing: ServerResponse,
  ): Promise<IncomingMessage | undefined> {
    const { onlyNamespace, streams } = this.#options
    const { connection: _, host: __, ...kept } = headers
    const forwarded = ask({
      host: this.#target.hostname,
      port: this.#target.port,
      agent: this.#agent,
      method,
      path: onlyNamespace === undefined ? path : narrowed(path, onlyNamespace, narrowable),
      headers: { ...kept } as Record<string, string>,
    })
    // Whoever gives up ends the watch at the API server, too.
    outgoing.once('close', () => forwarded.destroy())
    try {
      if (streams === true) outgoing.req.pipe(forwarded)
      else forwarded.end(body)
      const [reply] = (await once(forwarded, 'response')) as [IncomingMessage]
      return reply
    } catch {
      return undefined
    } finally {
      forwarded.on('error', () => {})
    }
  }

  #pass(request: ProxiedRequest, reply: IncomingMessage, { outgoing, reset }: Answering): void {
    const { connection: _, 'keep-alive': __, 'transfer-encoding': ___, ...headers } = reply.headers
    outgoing.writeHead(reply.statusCode ?? 500, headers)
    outgoing.flushHeaders()
    const sieve = new Sieve()
    const exchange: Exchange = {
      request,
      reset,
      end: () => void outgoing.end(),
      freeze: () => void reply.pause(),
      thaw: () => void reply.resume(),
      send: text => void outgoing.write(text),
      sift: passes => void (sieve.passes = passes),
    }
    this.#open.add(exchange)
    outgoing.once('close', () => this.#open.delete(exchange))
    reply.on('data', (chunk: Buffer) => {
      if (outgoing.writable) outgoing.write(sieve.sift(chunk))
    })
    reply.once('end', () => void outgoing.end())
    // After an end the connection may have begun another exchange, which is not to be reset.
    reply.once('error', () => outgoing.writableEnded || reset())
  }

  #reset({ socket }: IncomingMessage): void {
    this.#sockets.get(socket.remotePort ?? -1)?.resetAndDestroy()
  }
}

interface Answering {
  readonly outgoing: ServerResponse
  readonly reset: () => void
  readonly fault?: Extract<Fault, { type: 'lose' | 'wait' | 'instead' }>
}

type Answer = Extract<Fault, { type: 'answer' }>
type Lost = Extract<Fault, { type: 'cut' | 'lose' }>

async function lost(fault: Lost, request: ProxiedRequest, reset: () => void): Promise<void> {
  await fault.meanwhile?.(request)
  reset()
}

async function bodyOf(message: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = []
  try {
    for await (const chunk of message) chunks.push(chunk as Buffer)
    return Buffer.concat(chunks).toString('utf8')
  } catch {
    return undefined
  }
}
