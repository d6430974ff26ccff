// Settings from flags: a wrong one is one line that names the flag.

/** A whole number of at most five digits. */
export function wholeNumber(flag: string, text: string): number {
  if (/^\d{1,5}$/.test(text)) return Number(text)
  throw new Error(`${flag}: expected a whole number, got ${text}`)
}
