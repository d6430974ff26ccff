// The few requests that starting a cluster takes, made without any client library, so that the
// control plane does not depend on the code that is tested with it.

import { request } from 'node:https'

import type { Access } from './credentials.ts'

/** An answer of the API server, whatever its status. */
export interface ApiAnswer {
  readonly status: number
  /** The JSON text of the body, or plain text as from /readyz. */
  readonly text: string
}

const timeoutMs = 5000

/** Sends one request, a POST when there is a body. Fails only when no answer comes within 5 s. */
export function apiRequest(access: Access, path: string, body?: unknown): Promise<ApiAnswer> {
  const headers = { authorization: `Bearer ${access.token}`, 'content-type': 'application/json' }
  return new Promise((resolve, reject) => {
    const sent = request(
      new URL(path, access.url),
      {
        method: body === undefined ? 'GET' : 'POST',
        ca: access.ca,
        headers,
        agent: false,
        timeout: timeoutMs,
      },
      response => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (part: string) => (text += part))
        response.once('error', reject)
        response.once('end', () => resolve({ status: response.statusCode ?? 0, text }))
      },
    )
    sent.once('error', reject)
    sent.once('timeout', () => sent.destroy(new Error(`no answer within ${timeoutMs} ms`)))
    sent.end(body === undefined ? undefined : JSON.stringify(body))
  })
}
