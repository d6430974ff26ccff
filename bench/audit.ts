// What an audit log says of one namespace: who wrote how often, and how often a webhook was called.

import { readFile } from 'node:fs/promises'

/** The accepted writes of one namespace. */
export interface Writes {
  /** By author: `sluice`, `controller-manager`, `people`, `others`. */
  readonly byAuthor: Readonly<Record<string, number>>
  /** Ours, by resource. */
  readonly ours: Readonly<Record<string, number>>
  /** Our writes that met a newer version, and were decided again. */
  readonly conflicts: number
  /** Calls of our mutating webhook. */
  readonly webhookCalls: number
}

interface AuditEvent {
  readonly stage: string
  readonly verb: string
  readonly userAgent?: string
  readonly user: { readonly username: string }
  readonly objectRef?: {
    readonly namespace?: string
    readonly resource: string
    readonly subresource?: string
  }
  readonly responseStatus?: { readonly code?: number }
  readonly annotations?: Readonly<Record<string, string>>
}

/** Counts the writes of a namespace. */
export async function countWrites(auditLog: string, namespace: string): Promise<Writes> {
  const lines = (await readFile(auditLog, 'utf8')).split('\n').filter(line => line !== '')
  const events = lines
    .map(line => JSON.parse(line) as AuditEvent)
    .filter(
      ({ stage, objectRef }) => stage === 'ResponseComplete' && objectRef?.namespace === namespace,
    )
  const accepted = events.filter(({ responseStatus }) => (responseStatus?.code ?? 500) < 300)
  const ours = events.filter(event => authorOf(event) === 'sluice')
  return {
    byAuthor: tally(accepted.map(authorOf)),
    ours: tally(accepted.filter(event => authorOf(event) === 'sluice').map(resourceOf)),
    conflicts: ours.filter(({ responseStatus }) => responseStatus?.code === 409).length,
    webhookCalls: events.map(callsIn).reduce((sum, calls) => sum + calls, 0),
  }
}

function authorOf({ userAgent = '', user }: AuditEvent): string {
  if (userAgent.startsWith('sluice/')) return 'sluice'
  if (user.username.includes(':serviceaccount:kube-system:')) return 'controller-manager'
  if (userAgent.startsWith('kubectl/')) return 'people'
  return 'others'
}

function resourceOf({ objectRef }: AuditEvent): string {
  const { resource, subresource } = objectRef!
  return subresource === undefined ? resource : `${resource}/${subresource}`
}

/** The API server notes each mutating webhook that it called, in rounds. */
function callsIn({ annotations = {} }: AuditEvent): number {
  return Object.entries(annotations).filter(
    ([key, value]) =>
      key.startsWith('mutation.webhook.admission.k8s.io/') && value.includes('sluice.dev'),
  ).length
}

function tally(words: readonly string[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const word of words) counts[word] = (counts[word] ?? 0) + 1
  return counts
}
