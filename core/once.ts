// What is computed of a thing that does not change, once.

/** The same function, which computes for each object once as long as that is in use. */
export function once<S extends object, T>(compute: (s: S) => T): (s: S) => T {
  const known = new WeakMap<S, { readonly of: T }>()
  return s => {
    const found = known.get(s) ?? { of: compute(s) }
    known.set(s, found)
    return found.of
  }
}
