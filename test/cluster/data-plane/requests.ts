// Those who ask: a bounded number of requests a second, whatever becomes of them. On a busy machine they are
// fewer, and none is given up.

import { Agent, request as send } from 'node:http'

import type { Answer, Load, Request } from './channel.ts'

/** Whom they ask. */
export interface Requests {
  /** Sends these in turn from now on. */
  readonly to: (requests: readonly Request[]) => void
}

/** Nobody waits longer for an answer. */
const patienceMs = 30_000

/** Begins with none. */
export function startRequests({ port, perSecond }: Load, hear: (answer: Answer) => void): Requests {
  const agent = new Agent({ keepAlive: true })
  let asked: readonly Request[] = []
  let turn = 0
  let open = 0
  const ask = async (request: Request) => {
    open += 1
    const begunAt = Date.now()
    const outcome = await answerOf(agent, port, request)
    open -= 1
    hear({ name: request.name, begunAt, ...outcome })
  }
  setInterval(() => {
    const next = asked[turn++ % asked.length]
    if (next && open < perSecond) void ask(next)
  }, 1000 / perSecond)
  return {
    to(requests) {
      asked = requests
    },
  }
}

function answerOf(
  agent: Agent,
  port: number,
  { host, headers }: Request,
): Promise<Pick<Answer, 'version' | 'failure'>> {
  return new Promise(resolve => {
    const failed = (error: Error) => resolve({ failure: error.message })
    const options = { agent, port, host: '127.0.0.1', headers: { ...headers, host } }
    const sent = send({ ...options, timeout: patienceMs }, answer => {
      let text = ''
      answer.setEncoding('utf8').on('data', (part: string) => (text += part))
      answer.once('error', failed).once('end', () => {
        const { statusCode } = answer
        resolve(
          statusCode === 200 ? { version: text } : { failure: `${statusCode} ${text.trim()}` },
        )
      })
    })
    sent.once('timeout', () => sent.destroy(new Error('no answer in time'))).once('error', failed)
    sent.end()
  })
}
