// The HTTPS server that the API server calls. It knows transport and lifetime, the reviewers know
// Kubernetes: a well-formed review always gets an answer, whatever happens inside.

import type { Server } from 'node:https'
import { setTimeout as delay } from 'node:timers/promises'

import Fastify from 'fastify'
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Logger } from 'pino'

import { open, shut } from '#process/listen.ts'
import type { Address, Listener } from '#process/listen.ts'
import type { Outcome, WebhookMetrics } from './metrics.ts'
import { createProbes } from '#process/probes.ts'
import { createGate } from './bounds.ts'
import { answerConversion, readConversion } from './conversion.ts'
import { MalformedReview } from './fields.ts'
import { readReview, writeReview } from './review.ts'
import type { AdmissionRequest, AdmissionResponse, Reviewer } from './review.ts'

export type { AdmissionRequest, AdmissionResponse, Reviewer } from './review.ts'

/** A certificate (with its chain) and its private key, PEM. */
export interface ServerCertificate {
  readonly cert: string
  readonly key: string
}

/** What a webhook server is made of. */
export interface WebhookServerOptions {
  readonly certificate: ServerCertificate
  /** Answers POST /admit. */
  readonly admit: Reviewer
  /** Answers POST /validate. */
  readonly validate: Reviewer
  /** Answers for a reviewer that threw. */
  readonly onBug: (request: AdmissionRequest, error: unknown) => AdmissionResponse
  readonly metrics: WebhookMetrics
  readonly log: Logger
  /** Where reviews arrive; all addresses, port 9443 unless given. */
  readonly listen?: Partial<Address>
  /** Where probes and metrics are served; all addresses, port 8081 unless given. */
  readonly probes?: Partial<Address>
  /** Why the process is not ready yet, apart from shutting down; undefined when it is. */
  readonly unready?: () => string | undefined
  /** How long to go on serving after readiness is gone, in milliseconds, 0 unless given. */
  readonly drainMs?: number
}

/** The real ports. */
export interface Ports {
  readonly port: number
  readonly probesPort: number
}

/** A webhook server, with its probes. */
export interface WebhookServer {
  /** Opens both listeners. Throws one line that names the setting when a port cannot be had. */
  readonly listen: () => Promise<Ports>
  /** Serves new connections with another certificate; those that are open go on. */
  readonly setCertificate: (certificate: ServerCertificate) => void
  /** Takes readiness away, drains, answers what is in flight, closes. May be called twice. */
  readonly close: () => Promise<void>
}

// Go clients keep idle connections for 90 s and do not repeat a POST whose connection was closed
// under it: the server must be the one that waits longer.
const keepAliveTimeoutMs = 120_000
const idleTimeoutMs = keepAliveTimeoutMs + 10_000
/** For the answers to requests under way, when the process ends. */
const closingTimeoutMs = 15_000
/** For a whole body. The API server has given up by then: nobody else is to wait for it. */
const bodyTimeoutMs = 5_000
const maxBodyBytes = 8 * 1024 * 1024
/** Parsed, a body takes several times its length: a burst of large objects must not end the process. */
const maxBodiesBytes = 4 * maxBodyBytes
const smallBodyBytes = 256 * 1024
/** An API server opens one for each review under way, and keeps 25; each costs some 50 KiB. */
const maxConnections = 2000
const minVersion = 'TLSv1.2'

/** Makes a server; nothing listens before `listen`. */
export function createWebhookServer(options: WebhookServerOptions): WebhookServer {
  let draining = false
  let closing: Promise<void> | undefined
  const app = createApp(options, () => draining)
  const unready = () => (draining ? 'shutting down' : options.unready?.())
  const probes = createProbes({ registry: options.metrics.registry, unready })

  const shutdown = async () => {
    // Nobody is led to one that was not ready: there is nobody to be led away.
    const drainMs = unready() === undefined ? (options.drainMs ?? 0) : 0
    draining = true
    await delay(drainMs)
    await shut(app, closingTimeoutMs)
    // Last, so that a process that still answers reviews is not taken for dead.
    await shut(probes, closingTimeoutMs)
  }

  return {
    async listen() {
      try {
        const address = { host: '0.0.0.0', port: 9443, ...options.listen }
        const port = await open(app, address, 'webhook listener')
        const probesAddress = { host: '0.0.0.0', port: 8081, ...options.probes }
        return { port, probesPort: await open(probes, probesAddress, 'probes listener') }
      } catch (error) {
        await Promise.all([app.close(), probes.close()])
        throw error
      }
    },
    setCertificate: ({ cert, key }) => app.server.setSecureContext({ cert, key, minVersion }),
    close: () => (closing ??= shutdown()),
  }
}

function createApp(
  options: WebhookServerOptions,
  draining: () => boolean,
): Listener & { readonly server: Server } {
  const { cert, key } = options.certificate
  const app = Fastify({
    https: { cert, key, minVersion, handshakeTimeout: 10_000, connectionsCheckingInterval: 1_000 },
    logger: false,
    bodyLimit: maxBodyBytes,
    keepAliveTimeout: keepAliveTimeoutMs,
    connectionTimeout: idleTimeoutMs,
    requestTimeout: bodyTimeoutMs,
    // A review that arrives on an open connection while we close is answered like any other.
    return503OnClosing: false,
  })
  app.server.headersTimeout = bodyTimeoutMs
  bound(options, app)

  app.removeAllContentTypeParsers()
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_, body, done) => {
    try {
      done(null, JSON.parse(body.toString('utf8')))
    } catch {
      done(new MalformedReview('the body is not JSON, or not as UTF-8 without a byte order mark'))
    }
  })
  // Not async: an answer leaves in the same turn in which it is sent.
  app.addHook('onSend', (_, reply, _payload, done) => {
    // The API server then opens its next connection to a replica that stays.
    if (draining()) reply.header('connection', 'close')
    done()
  })
  app.setErrorHandler((error: FastifyError, request, reply) =>
    refuse(options, request, reply, error),
  )
  app.setNotFoundHandler((_, reply) =>
    plain(reply, 404, 'POST /admit, /validate and /convert only'),
  )

  for (const [path, review] of Object.entries({
    '/admit': options.admit,
    '/validate': options.validate,
  })) {
    app.post(path, async (request, reply) => {
      const begin = performance.now()
      const admission = readReview(request.body)
      const { body, outcome, response } = await answer(options, review, admission)
      const seconds = (performance.now() - begin) / 1000
      // First the answer, since somebody waits for it: the log is written to its end before it returns.
      reply.type('application/json').send(body)
      options.metrics.reviewed(admission.operation, outcome, seconds)
      if (response.held && !admission.dryRun) options.metrics.held()
      logDecision(options.log, admission, { outcome, response, seconds })
      return reply
    })
  }
  convertOn(app, options)
  return app
}

/** Conversion needs nothing but the objects: it is answered from the first moment on. */
function convertOn(app: FastifyInstance<Server>, { log, metrics }: WebhookServerOptions): void {
  app.post('/convert', async (request, reply) => {
    const begin = performance.now()
    const conversion = readConversion(request.body)
    const { uid, desiredApiVersion, objects } = conversion
    const { body, outcome, message } = answerConversion(conversion, error =>
      log.error({ err: error, uid }, 'a conversion failed'),
    )
    reply.type('application/json').send(body)
    metrics.converted(outcome)
    const ms = Math.round((performance.now() - begin) * 1e3) / 1e3
    const count = objects.length
    const level = outcome === 'converted' ? 'debug' : 'warn'
    log[level]({ uid: short(uid), to: short(desiredApiVersion), count, message, ms }, outcome)
    return reply
  })
}

function bound({ log }: WebhookServerOptions, app: FastifyInstance<Server>): void {
  app.server.maxConnections = maxConnections
  app.server.on('drop', () => {
    log.warn({ maxConnections }, 'a connection was refused: too many are open')
  })
  const gate = createGate({ bytes: maxBodiesBytes, most: maxBodyBytes, small: smallBodyBytes })
  app.addHook('onRequest', async (request, reply) => {
    // Nobody waits for the answer any more.
    if (!(await gate.enter(request.raw, reply.raw))) reply.hijack()
  })
}

interface Answered {
  readonly body: string
  readonly outcome: Outcome
  readonly response: AdmissionResponse
}

async function answer(
  options: WebhookServerOptions,
  review: Reviewer,
  request: AdmissionRequest,
): Promise<Answered> {
  try {
    const response = await review(request)
    return { body: writeReview(request.uid, response), outcome: outcomeOf(response), response }
  } catch (error) {
    options.log.error({ err: error, uid: request.uid }, 'the reviewer failed')
    const response = responseToBug(options, request, error)
    return { body: writeReview(request.uid, response), outcome: 'bug', response }
  }
}

function responseToBug(
  options: WebhookServerOptions,
  request: AdmissionRequest,
  error: unknown,
): AdmissionResponse {
  try {
    const response = options.onBug(request, error)
    writeReview(request.uid, response)
    return response
  } catch (second) {
    options.log.error({ err: second, uid: request.uid }, 'the answer to a failed review failed')
    // An edit that nobody has looked at must not roll out unheld.
    const message = 'sluice failed to review this request, see the log of its webhook'
    return { allowed: false, status: { code: 500, reason: 'InternalError', message } }
  }
}

function outcomeOf(response: AdmissionResponse): Outcome {
  if (!response.allowed) return 'denied'
  return response.patch?.length ? 'patched' : 'allowed'
}

function logDecision(
  log: Logger,
  request: AdmissionRequest,
  decision: { outcome: Outcome; response: AdmissionResponse; seconds: number },
): void {
  const { outcome, response, seconds } = decision
  log.info(
    {
      uid: short(request.uid),
      operation: request.operation,
      kind: short(request.kind.kind),
      namespace: short(request.namespace),
      name: short(request.name),
      dryRun: request.dryRun,
      held: response.held ?? false,
      warnings: response.warnings?.length ?? 0,
      ms: Math.round(seconds * 1e6) / 1e3,
    },
    outcome,
  )
}

// Kubernetes' own names are no longer; a stranger's request may be.
function short(name: string): string {
  return name.slice(0, 253)
}

const refusals: Readonly<Record<string, string>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: `the body is larger than ${maxBodyBytes} bytes`,
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'content-type: expected application/json',
}

function refuse(
  { log, metrics }: WebhookServerOptions,
  request: FastifyRequest,
  reply: FastifyReply,
  error: FastifyError,
): FastifyReply {
  metrics.reviewed('unknown', 'malformed', reply.elapsedTime / 1000)
  const code = error instanceof MalformedReview ? 400 : (error.statusCode ?? 400)
  const message = refusals[error.code] ?? error.message
  log.warn({ path: request.routeOptions.url, code, message }, 'malformed')
  return plain(reply, code, message)
}

function plain(reply: FastifyReply, code: number, line: string): FastifyReply {
  return reply.code(code).type('text/plain').send(`${line}\n`)
}
