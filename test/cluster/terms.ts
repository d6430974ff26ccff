// Who wrote while whose Lease it was, read from the audit log: the API server's own account of every
// write, with the process in its user agent and one clock for all times.

import { auditLines } from './audit-log.ts'

/** One write that the API server accepted. */
export interface AcceptedWrite {
  /** The identity of the controller that sent it. */
  readonly by: string
  /** As in `deployments web-0/web`. */
  readonly what: string
  /** When it came and when it was answered, in microseconds since the epoch. */
  readonly from: number
  readonly to: number
}

/** A time of leading, as the Lease says. Times are microseconds since the epoch. */
export interface AuditedTerm {
  readonly by: string
  /** When the write that took it came. */
  readonly from: number
  /** When its last write to the Lease was accepted. */
  readonly renewed: number
  /** When the next one took it; Infinity for the last. */
  readonly to: number
}

/** What the audit log says of the controllers that share a Lease. */
export interface Terms {
  readonly terms: readonly AuditedTerm[]
  /** All writes of controllers but those to the Lease, in the order of their answers. */
  readonly writes: readonly AcceptedWrite[]
  /** Writes that were accepted while the Lease was not, or no more, its writer's. */
  readonly trespasses: readonly string[]
}

interface AuditEvent {
  readonly verb: string
  readonly requestURI: string
  readonly userAgent?: string
  readonly objectRef?: {
    readonly resource: string
    readonly namespace?: string
    readonly name?: string
    readonly subresource?: string
  }
  readonly responseStatus?: { readonly code?: number }
  readonly requestReceivedTimestamp: string
  readonly stageTimestamp: string
}

/** Reads what the controllers with these identities wrote. */
export async function readTerms(auditLog: string, identities: readonly string[]): Promise<Terms> {
  const accepted = (await auditLines(auditLog))
    .filter(line => line.includes('(controller '))
    .map(line => JSON.parse(line) as AuditEvent)
    .filter(({ responseStatus }) => (responseStatus?.code ?? 500) < 300)
    .filter(changes)
    .flatMap(event => {
      const by = identities.find(identity => event.userAgent?.includes(`(controller ${identity})`))
      return by === undefined
        ? []
        : [{ ...writeOf(by, event), resource: event.objectRef?.resource }]
    })
    .toSorted((a, b) => a.to - b.to)
  const leases = accepted.filter(({ resource }) => resource === 'leases')
  const writes = accepted.filter(({ resource }) => resource !== 'leases')
  const terms = termsOf(leases)
  const trespasses = writes
    .filter(write => !terms.some(term => within(write, term)))
    .map(({ by, what, from }) => `${by} wrote ${what} at ${from}, in nobody's or another's term`)
  return { terms, writes, trespasses }
}

/** A dry run stores nothing, and neither does who asks what it may do. */
function changes({ requestURI, objectRef }: AuditEvent): boolean {
  return !requestURI.includes('dryRun=') && objectRef?.resource !== 'selfsubjectaccessreviews'
}

function termsOf(leases: readonly AcceptedWrite[]): readonly AuditedTerm[] {
  const taken = leases.flatMap(({ by }, index) => (by === leases[index - 1]?.by ? [] : [index]))
  return taken.map((first, index) => {
    const next = taken[index + 1]
    const { by, from } = leases[first]!
    const renewed = leases[(next ?? leases.length) - 1]!.to
    return { by, from, renewed, to: next === undefined ? Infinity : leases[next]!.from }
  })
}

/** Answered before the next one so much as asked for the Lease. */
function within(write: AcceptedWrite, term: AuditedTerm): boolean {
  return write.by === term.by && write.from >= term.from && write.to <= term.to
}

function writeOf(by: string, event: AuditEvent): AcceptedWrite {
  const { resource = '', namespace = '', name = '', subresource } = event.objectRef ?? {}
  const what = `${resource}${subresource ? `/${subresource}` : ''} ${namespace}/${name}`
  const [from, to] = [event.requestReceivedTimestamp, event.stageTimestamp].map(microseconds)
  return { by, what, from: from!, to: to! }
}

/** Of `2026-01-31T12:00:00.123456Z`. */
function microseconds(time: string): number {
  const [, fraction = ''] = /\.(\d+)Z$/.exec(time) ?? []
  const seconds = Date.parse(`${time.slice(0, 19)}Z`) / 1000
  return seconds * 1e6 + Number(fraction.padEnd(6, '0').slice(0, 6))
}
