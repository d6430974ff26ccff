// Settings from flags: a wrong one is one line that names the flag.

/** A whole number in a range. */
export function wholeNumber(
  flag: string,
  text: string,
  { least = 0, most = 65_535 }: { readonly least?: number; readonly most?: number } = {},
): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
  if (value >= least && value <= most) return value
  throw new Error(`${flag}: expected a whole number from ${least} to ${most}, got ${text}`)
}
