// The plain-HTTP listener for kubelet and Prometheus, the same in every process: neither has to know
// our certificates.

import Fastify from 'fastify'
import type { FastifyInstance } from 'fastify'
import type { Registry } from 'prom-client'

/** What the listener reports. */
export interface ProbeSources {
  readonly registry: Registry
  /** Why no work should be sent here, in one line; undefined when it should. */
  readonly unready: () => string | undefined
}

/** Makes the listener: GET /healthz, /readyz and /metrics. */
export function createProbes({ registry, unready }: ProbeSources): FastifyInstance {
  const app = Fastify({ logger: false, requestTimeout: 15_000, return503OnClosing: false })
  app.get('/healthz', (_, reply) => reply.type('text/plain').send('ok\n'))
  app.get('/readyz', (_, reply) => {
    const why = unready()
    return reply
      .code(why === undefined ? 200 : 503)
      .type('text/plain')
      .send(`${why ?? 'ok'}\n`)
  })
  app.get('/metrics', async (_, reply) => {
    const body = await registry.metrics()
    return reply.type(registry.contentType).send(body)
  })
  return app
}
