// What the audit log says of one namespace, in the order in which the API server answered: who wrote
// what, and how often it called our webhook.

import { readFile } from 'node:fs/promises'
import { sluiceUsers } from '../test/cluster/accounts.ts'

/** One request that the API server has answered. */
export interface Entry {
  readonly author: 'sluice' | 'controller-manager' | 'bench' | 'others'
  readonly verb: string
  /** Such as `deployments` or `rollouts/status`. */
  readonly resource: string
  readonly namespace: string
  readonly name: string
  readonly uri: string
  readonly code: number
  /** Calls of our mutating webhook for it. */
  readonly webhookCalls: number
  /** When the API server received it, in epoch milliseconds. */
  readonly receivedAt: number
}

interface AuditEvent {
  readonly stage: string
  readonly verb: string
  readonly requestURI: string
  readonly requestReceivedTimestamp: string
  readonly user: { readonly username: string }
  readonly objectRef?: {
    readonly namespace?: string
    readonly name?: string
    readonly resource: string
    readonly subresource?: string
  }
  readonly responseStatus?: { readonly code?: number }
  readonly annotations?: Readonly<Record<string, string>>
}

/** Reads the log of all namespaces. */
export async function readAudit(auditLog: string): Promise<readonly Entry[]> {
  const lines = (await readFile(auditLog, 'utf8')).split('\n').filter(line => line !== '')
  return (
    lines
      .map(line => JSON.parse(line) as AuditEvent)
      // A watch is answered when it begins; its end is no request.
      .filter(({ stage, verb }) => stage === (verb === 'watch' ? 'ResponseStarted' : complete))
      .map(entryOf)
  )
}

function entryOf(event: AuditEvent): Entry {
  const { verb, objectRef, responseStatus, requestURI, requestReceivedTimestamp } = event
  const { resource = '', subresource, namespace = '', name = '' } = { ...objectRef }
  return {
    author: authorOf(event.user.username),
    verb,
    resource: subresource === undefined ? resource : `${resource}/${subresource}`,
    namespace,
    name,
    uri: requestURI,
    code: responseStatus?.code ?? 0,
    webhookCalls: callsIn(event),
    receivedAt: Date.parse(requestReceivedTimestamp),
  }
}

/** Entries of a namespace, split before each write that `begins` something. */
export function chapters(
  entries: readonly Entry[],
  begins: (entry: Entry) => boolean,
): readonly (readonly Entry[])[] {
  const all: Entry[][] = []
  for (const entry of entries) {
    if (begins(entry)) all.push([])
    all.at(-1)?.push(entry)
  }
  return all
}

/** The bench asks a workload of that kind for another template. */
export function isEditOf(plural: string): (entry: Entry) => boolean {
  return ({ author, verb, resource }) =>
    author === 'bench' && verb === 'patch' && resource === plural
}

/** The bench lets a release go on. */
export function isApproval({ author, resource }: Entry): boolean {
  return author === 'bench' && resource === 'rollouts/status'
}

/** Writes of ours that the API server accepted. */
export function writesIn(entries: readonly Entry[]): readonly Entry[] {
  return entries.filter(
    ({ author, verb, code }) => author === 'sluice' && !reads.has(verb) && code < 300,
  )
}

/** Writes of ours that met a newer version. */
export function conflictsIn(entries: readonly Entry[]): readonly Entry[] {
  return entries.filter(({ author, code }) => author === 'sluice' && code === 409)
}

/** Conflicts with ourselves: who wrote the object last, before we were refused, was Sluice. */
export function ownConflictsIn(entries: readonly Entry[]): number {
  return conflictsIn(entries).filter(conflict => {
    const before = entries
      .slice(0, entries.indexOf(conflict))
      .filter(
        ({ verb, resource, name, code }) =>
          !reads.has(verb) &&
          code < 300 &&
          name === conflict.name &&
          base(resource) === base(conflict.resource),
      )
    return before.at(-1)?.author === 'sluice'
  }).length
}

/** A subresource is a part of its object. */
function base(resource: string): string {
  return resource.split('/')[0]!
}

/** How many of each, the most first. */
export function tally(words: readonly string[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const word of words) counts[word] = (counts[word] ?? 0) + 1
  return Object.fromEntries(Object.entries(counts).toSorted(([, a], [, b]) => b - a))
}

const complete = 'ResponseComplete'
const reads = new Set(['get', 'list', 'watch'])

function authorOf(username: string): Entry['author'] {
  if (sluiceUsers.includes(username)) return 'sluice'
  if (username.startsWith('system:serviceaccount:kube-system:')) return 'controller-manager'
  return username === 'admin' ? 'bench' : 'others'
}

/** The API server notes each mutating webhook that it called, in rounds. */
function callsIn({ annotations = {} }: AuditEvent): number {
  return Object.entries(annotations).filter(
    ([key, value]) =>
      key.startsWith('mutation.webhook.admission.k8s.io/') && value.includes('sluice.dev'),
  ).length
}
