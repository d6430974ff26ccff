/** Enough that nobody waits long for many, and no burden for the API server or the controller-manager. */
const AT_A_TIME = 5

/** Does the work for all, some at a time; gives what each comes to, in their order. */
export function abreast<T, R>(
  all: readonly T[],
  work: (each: T) => Promise<R>,
): readonly Promise<R>[] {
  const results: Promise<R>[] = []
  for (const each of all) {
    const before = results.at(-AT_A_TIME)
    const result = Promise.resolve(before).then(
      () => work(each),
      () => work(each),
    )
    // Whoever takes them in their order looks at a failure late: until then it is no unhandled one.
    result.catch(() => {})
    results.push(result)
  }
  return results
}
