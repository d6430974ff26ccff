// Many runs beside each other in one cluster, but no more than the machine can bear.

/** Runs each item, so many of them at once; the answers come in the order of the items. */
export async function inLanes<Item, Answer>(
  atOnce: number,
  items: readonly Item[],
  run: (item: Item) => Promise<Answer>,
): Promise<readonly Answer[]> {
  // All lanes share it: each takes what is next.
  const waiting = items.entries()
  const answers: Answer[] = []
  const lane = async () => {
    for (const [index, item] of waiting) answers[index] = await run(item)
  }
  await Promise.all(Array.from({ length: atOnce }, lane))
  return answers
}
