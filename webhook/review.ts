// The AdmissionReview of the API server, to and from plain data. A review is what a stranger
// sent: every field that is passed on has been looked at, and a refusal is one line.

import type { KubeObject } from '#api/kubernetes.ts'
import { MalformedReview, optionalRecord, optionalText, record, text } from './fields.ts'

/** What the API server asks about. */
export type Operation = 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT'

/** A kind of object, as in `apps/v1, Kind=Deployment`. */
export interface GroupVersionKind {
  readonly group: string
  readonly version: string
  readonly kind: string
}

/** One request for admission, checked: an UPDATE has both objects, and objects have metadata. */
export interface AdmissionRequest {
  readonly uid: string
  readonly kind: GroupVersionKind
  /** The version in which its sender wrote the object, where it is another than that of `kind`. */
  readonly writtenIn?: string
  readonly operation: Operation
  readonly subResource?: string
  /** Empty for a CREATE with a generated name. */
  readonly name: string
  /** Empty for cluster-wide objects. */
  readonly namespace: string
  readonly userInfo: { readonly username?: string; readonly groups?: readonly string[] }
  /** The object as it is to be; null for a DELETE. */
  readonly object: KubeObject | null
  /** The object as it is stored; null for a CREATE. */
  readonly oldObject: KubeObject | null
  readonly options: { readonly fieldManager?: string; readonly [option: string]: unknown }
  readonly dryRun: boolean
}

/** One operation of RFC 6902. */
export interface PatchOperation {
  readonly op: 'add' | 'remove' | 'replace' | 'move' | 'copy' | 'test'
  readonly path: string
  readonly from?: string
  readonly value?: unknown
}

/** The answer to a request; the uid is added by the server. */
export interface AdmissionResponse {
  readonly allowed: boolean
  readonly patch?: readonly PatchOperation[]
  /** Shown to the user. */
  readonly warnings?: readonly string[]
  /** Why it is refused: `message` is what the user reads. */
  readonly status?: { readonly code?: number; readonly reason?: string; readonly message?: string }
  /** The answer begins or keeps a hold; it is counted. Never sent. */
  readonly held?: boolean
}

/** Decides one request. It may throw: that is a bug, and `onBug` answers. */
export type Reviewer = (request: AdmissionRequest) => AdmissionResponse | Promise<AdmissionResponse>

/** Reads the body of a request. Throws `MalformedReview`, which names the field. */
export function readReview(body: unknown): AdmissionRequest {
  const review = record(body, 'the body')
  if (review['apiVersion'] !== reviewVersion || review['kind'] !== 'AdmissionReview') {
    throw new MalformedReview(`apiVersion and kind: expected ${reviewVersion} AdmissionReview`)
  }
  const request = record(review['request'], 'request')
  const operation = operationOf(request['operation'])
  const uid = text(request['uid'], 'request.uid')
  if (uid === '') throw new MalformedReview('request.uid: expected a text that is not empty')
  const subResource = optionalText(request['subResource'], 'request.subResource')
  return {
    uid,
    operation,
    ...kindsOf(request),
    ...(subResource === '' ? {} : { subResource }),
    name: optionalText(request['name'], 'request.name'),
    namespace: optionalText(request['namespace'], 'request.namespace'),
    userInfo: optionalRecord(request['userInfo'], 'request.userInfo'),
    object: objectOf(request['object'], 'object', operation),
    oldObject: objectOf(request['oldObject'], 'oldObject', operation),
    options: optionalRecord(request['options'], 'request.options'),
    dryRun: dryRunOf(request['dryRun']),
  }
}

/** Writes the body of an answer. Throws where the patch cannot be written as JSON. */
export function writeReview(uid: string, answer: AdmissionResponse): string {
  const { allowed, patch = [], warnings = [], status } = answer
  const response = {
    uid,
    allowed,
    ...(status === undefined ? {} : { status }),
    ...(warnings.length === 0 ? {} : { warnings: shortWarnings(warnings) }),
    ...(patch.length === 0
      ? {}
      : {
          patchType: 'JSONPatch',
          patch: Buffer.from(JSON.stringify(patch)).toString('base64'),
        }),
  }
  return JSON.stringify({ apiVersion: reviewVersion, kind: 'AdmissionReview', response })
}

/**
 * Warnings as the API server passes them on: it cuts each to 256 characters where all together, those of other webhooks
 * included, are more than 4,096. A command in one is worth nothing without its end: only then is it cut, at a word.
 */
export function shortWarnings(warnings: readonly string[]): readonly string[] {
  // The API server drops a warning with a control character altogether.
  const lines = warnings.map(line => Array.from(line.replaceAll(/\p{Cc}+/gu, ' ')))
  const total = lines.reduce((sum, { length }) => sum + length, 0)
  return lines.map(line => (total <= wholeInAll ? line.join('') : cut(line)))
}

function cut(characters: readonly string[]): string {
  if (characters.length <= maxWarning) return characters.join('')
  const room = maxWarning - ellipsis.length
  const kept = characters.slice(0, room).join('')
  // A next character that is a space means that the last word is whole.
  const whole = characters[room] === ' ' ? kept.length : kept.lastIndexOf(' ')
  return (whole > 0 ? kept.slice(0, whole) : kept).trimEnd() + ellipsis
}

const reviewVersion = 'admission.k8s.io/v1'
const maxWarning = 256
/** That leaves others a thousand. */
const wholeInAll = 3072
// A warning travels in an HTTP header, which some clients read as Latin-1: three dots stay dots.
const ellipsis = '...'

/** The objects that come with an operation. A CONNECT carries options, which have no metadata. */
const required: Readonly<Record<Operation, readonly ('object' | 'oldObject')[]>> = {
  CREATE: ['object'],
  UPDATE: ['object', 'oldObject'],
  DELETE: ['oldObject'],
  CONNECT: [],
}

function objectOf(
  value: unknown,
  field: 'object' | 'oldObject',
  operation: Operation,
): KubeObject | null {
  const wanted = required[operation].includes(field)
  if (value === null || value === undefined) {
    if (!wanted) return null
    throw new MalformedReview(`request.${field}: missing, ${operation} carries it`)
  }
  const object = record(value, `request.${field}`)
  if (wanted) record(object['metadata'], `request.${field}.metadata`)
  return object as unknown as KubeObject
}

function operationOf(value: unknown): Operation {
  if (typeof value === 'string' && Object.hasOwn(required, value)) return value as Operation
  throw new MalformedReview(`request.operation: expected one of ${Object.keys(required).join()}`)
}

function kindsOf(request: Record<string, unknown>) {
  const kind = kindOf(request['kind'], 'request.kind')
  const asked = request['requestKind']
  if (asked === undefined || asked === null) return { kind }
  const { version } = kindOf(asked, 'request.requestKind')
  return version === kind.version ? { kind } : { kind, writtenIn: version }
}

function kindOf(value: unknown, field: string): GroupVersionKind {
  const { group, version, kind } = record(value, field)
  return {
    group: optionalText(group, `${field}.group`),
    version: text(version, `${field}.version`),
    kind: text(kind, `${field}.kind`),
  }
}

function dryRunOf(value: unknown): boolean {
  if (value === undefined || value === null) return false
  if (typeof value === 'boolean') return value
  throw new MalformedReview('request.dryRun: expected true or false')
}
