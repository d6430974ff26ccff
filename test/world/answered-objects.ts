// An API server of a few objects, which takes patches.

import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'

import type { KubeObject } from '#api/kubernetes.ts'
import type { MergePatch } from '#core/change.ts'
import { merge } from './controller.ts'

/** Of a list its items, or one object; `secret` may not be read; what is not named has none. */
export type Answers = Readonly<
  Record<string, readonly KubeObject[] | KubeObject | 'secret' | 'nowhere'>
>

/** What is answered by a part of the path, and the paths of what was asked. */
export interface Objects {
  readonly answer: RequestListener
  readonly written: readonly string[]
  readonly watched: readonly string[]
}

/** `served`: the kinds of a group, by its path. */
export function objectsOf(
  answers: Answers,
  served: Readonly<Record<string, readonly object[]>> = {},
): Objects {
  const [written, watched]: [string[], string[]] = [[], []]
  let stored = answers
  const write = async (path: string, request: IncomingMessage, response: ServerResponse) => {
    written.push(path)
    const body = await text(request)
    if (request.method === 'PATCH') stored = patched(stored, path, JSON.parse(body) as MergePatch)
    response.end('{}')
  }
  const answer: RequestListener = (request, response) => {
    const { pathname, searchParams } = new URL(request.url!, 'http://cluster')
    if (request.method !== 'GET') return void write(pathname, request, response)
    request.resume()
    if (!searchParams.has('watch')) return read(stored, served, pathname, response)
    watched.push(pathname)
    response.flushHeaders()
  }
  return { answer, written, watched }
}

function read(
  stored: Answers,
  served: Readonly<Record<string, readonly object[]>>,
  path: string,
  response: ServerResponse,
): void {
  const resources = served[path]
  if (resources) return void response.end(JSON.stringify({ resources }))
  const found = answerAt(stored, path)
  if (found === 'secret') return void response.writeHead(403).end('{}')
  if (found === 'nowhere') return void response.writeHead(404).end('{}')
  if ('kind' in found) return void response.end(JSON.stringify(found))
  response.end(JSON.stringify({ metadata: { resourceVersion: '1' }, items: found }))
}

function answerAt(stored: Answers, path: string): Answers[string] {
  const key = Object.keys(stored).find(each => path.includes(`/${each}`))
  if (key === undefined) return []
  const all = stored[key]!
  return isList(all) && !path.endsWith(`/${key}`) ? (all.find(isAt(path)) ?? 'nowhere') : all
}

function patched(stored: Answers, path: string, patch: MergePatch): Answers {
  const after = Object.entries(stored).map(([key, all]) => {
    if (!isList(all) || !path.includes(`/${key}/`)) return [key, all] as const
    const isThis = isAt(path)
    return [
      key,
      all.map(each => (isThis(each) ? (merge(each, patch) as KubeObject) : each)),
    ] as const
  })
  return Object.fromEntries(after)
}

function isList(answer: Answers[string]): answer is readonly KubeObject[] {
  return Array.isArray(answer)
}

function isAt(path: string): (object: KubeObject) => boolean {
  return ({ metadata }) => path.endsWith(`/${metadata.name}`)
}
