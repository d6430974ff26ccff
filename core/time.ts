// Times as the API writes them (RFC 3339), and as the core counts them.

/** Milliseconds since the epoch. The core has no clock; time is an input. */
export type Instant = number

/** The instant of an API time; 0 for none. Parsing is a pure function of the text. */
export function instantOf(time: string | undefined): Instant {
  // oxlint-disable-next-line no-restricted-globals -- parses a text, reads no clock
  const instant = time === undefined ? 0 : Date.parse(time)
  return Number.isNaN(instant) ? 0 : instant
}

/**
 * The API time of an instant, in the whole seconds that the API server keeps. Rounded up: a pause that
 * is counted from it is never shorter than was asked.
 */
export function timeOf(instant: Instant): string {
  // oxlint-disable-next-line no-restricted-globals -- formats a number, reads no clock
  return new Date(Math.ceil(instant / 1000) * 1000).toISOString().replace('.000Z', 'Z')
}

/** The time of an instant to the millisecond, where it is kept in a text of ours. */
export function momentOf(instant: Instant): string {
  // oxlint-disable-next-line no-restricted-globals -- formats a number, reads no clock
  return new Date(instant).toISOString().replace('.000Z', 'Z')
}

/**
 * Since when, for people: the whole second before `timeOf`, which is never yet to come. The same for an
 * instant and for what is read back of it.
 */
export function sinceOf(instant: Instant): string {
  return timeOf(instant - 1000)
}
