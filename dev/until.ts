// Waiting for what no watch tells: asked again until it is so.

/** Waits until the fact is there. Throws `failure` when it does not come in time. */
export async function until(
  failure: string,
  fact: () => Promise<boolean>,
  patienceMs = 120_000,
): Promise<void> {
  const end = Date.now() + patienceMs
  while (!(await fact())) {
    if (Date.now() > end) throw new Error(failure)
    await new Promise(resolve => setTimeout(resolve, 50))
  }
}
