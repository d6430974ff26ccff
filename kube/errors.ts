// Everything that can go wrong between us and the API server, sorted once, here.
// A caller asks `instanceof`; nobody else looks at a status code.

/** One field that the API server objects to. */
export interface StatusCause {
  readonly field: string
  readonly message: string
}

/** What the API server says about a failure (its `Status` object, and Retry-After). */
export interface Failure {
  /** HTTP status; 0 where no answer came. */
  readonly code: number
  /** The API server's word for it, such as `AlreadyExists`; may be empty. */
  readonly reason: string
  readonly message: string
  readonly causes: readonly StatusCause[]
  /** Milliseconds that the server asks to wait, a minute at most. */
  readonly retryAfterMs?: number
}

/** An answer other than success, or none at all. */
export class ApiError extends Error {
  readonly code: number
  readonly reason: string
  readonly causes: readonly StatusCause[]

  constructor(failure: Failure, options?: ErrorOptions) {
    super(failure.message, options)
    this.name = new.target.name
    this.code = failure.code
    this.reason = failure.reason
    this.causes = failure.causes
  }
}

/** The object, or its kind, does not exist. */
export class NotFound extends ApiError {}
/** The object changed since it was read, or a precondition does not hold: read and decide again. */
export class Conflict extends ApiError {}
/** An object of that name exists already. */
export class AlreadyExists extends ApiError {}
/** The resourceVersion or the continue token is too old: list again. */
export class Gone extends ApiError {}
/** The request is wrong and stays wrong; `causes` names the fields. */
export class Invalid extends ApiError {}
/** Our credentials or permissions do not allow it, or an admission plugin denies it. */
export class Forbidden extends ApiError {}

/** The same request may succeed later: 429, 5xx, a broken connection, no answer in time. */
export class Retryable extends ApiError {
  readonly retryAfterMs: number | undefined

  constructor(failure: Failure, options?: ErrorOptions) {
    super(failure, options)
    this.retryAfterMs = failure.retryAfterMs
  }
}

/** An HTTP answer as far as classification needs it. */
export interface Answer {
  readonly code: number
  readonly body: string
  /** The value of the Retry-After header: seconds, or an HTTP date. */
  readonly retryAfter?: string
  /** Says what was asked, such as `GET /api/v1/pods`. */
  readonly request: string
}

/** A proxy's "tomorrow", or a date by another clock, must not end our work for so long. */
const LONGEST_WAIT_MS = 60_000

/** Makes the typed error of an answer that is not a success. */
export function fromStatus(answer: Answer, now = Date.now()): ApiError {
  const status = parseStatus(answer.body)
  const message = status?.message ?? excerpt(answer.body)
  const asked =
    parseRetryAfter(answer.retryAfter, now) ?? seconds(status?.details?.retryAfterSeconds)
  return classify({
    code: answer.code,
    reason: status?.reason ?? '',
    message: `${answer.request}: ${answer.code} ${message}`.trimEnd(),
    causes: causesOf(status),
    ...(asked === undefined ? {} : { retryAfterMs: Math.min(asked, LONGEST_WAIT_MS) }),
  })
}

/** Makes the typed error of an ERROR event inside a watch; `object` is its Status. */
export function fromWatchError(object: unknown, request: string): ApiError {
  const code = isRecord(object) && typeof object['code'] === 'number' ? object['code'] : 500
  return fromStatus({ code, body: JSON.stringify(object), request })
}

/** Makes the error of a request that got no usable answer. */
export function withoutAnswer(request: string, why: string, cause?: unknown): Retryable {
  return new Retryable(
    { code: 0, reason: '', message: `${request}: ${why}`, causes: [] },
    cause === undefined ? undefined : { cause },
  )
}

function classify(failure: Failure): ApiError {
  const { code, reason } = failure
  if (code >= 500) return new Retryable(failure)
  if (reason === 'Expired') return new Gone(failure)
  if (reason === 'AlreadyExists') return new AlreadyExists(failure)
  const Kind = KIND_OF_CODE.get(code) ?? Invalid
  return new Kind(failure)
}

const KIND_OF_CODE: ReadonlyMap<number, new (failure: Failure) => ApiError> = new Map([
  [401, Forbidden],
  [403, Forbidden],
  [404, NotFound],
  [408, Retryable],
  [409, Conflict],
  [410, Gone],
  [429, Retryable],
])

interface Status {
  readonly reason?: string
  readonly message?: string
  readonly details?: { readonly causes?: unknown; readonly retryAfterSeconds?: unknown }
}

function parseStatus(body: string): Status | undefined {
  try {
    const value: unknown = JSON.parse(body)
    return isRecord(value) && value['kind'] === 'Status' ? value : undefined
  } catch {
    // A proxy between us and the API server answers in its own words.
    return undefined
  }
}

function causesOf(status: Status | undefined): StatusCause[] {
  const causes = status?.details?.causes
  if (!Array.isArray(causes)) return []
  return causes.filter(isRecord).map(cause => ({
    field: typeof cause['field'] === 'string' ? cause['field'] : '',
    message: typeof cause['message'] === 'string' ? cause['message'] : '',
  }))
}

function parseRetryAfter(value: string | undefined, now: number): number | undefined {
  if (value === undefined) return undefined
  if (/^\d+$/.test(value)) return Number(value) * 1000
  const at = Date.parse(value)
  return Number.isNaN(at) ? undefined : Math.max(0, at - now)
}

function seconds(value: unknown): number | undefined {
  return typeof value === 'number' && value > 0 ? value * 1000 : undefined
}

function excerpt(body: string): string {
  return body.replaceAll(/\s+/g, ' ').slice(0, 200)
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null
}
