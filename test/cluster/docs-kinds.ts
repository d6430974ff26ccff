// What docs/kruise-kinds.md promises, with a controller that stands in for that of Kruise.

import type { Preparation, Promises } from './docs-kruise.ts'
import { startStandIns } from './kinds/stand-in.ts'
import type { StandIns } from './kinds/stand-in.ts'
import type { Story } from './story.ts'

/** The promises, and what must be there before the first; the last one ends it. */
export function cloning(): readonly [promises: Promises, prepare: Preparation] {
  let standIns: StandIns | undefined
  return [
    {
      'clones-edit': s => imagesAre(s, 'clones:1 clones:1 clones:1 clones:1 clones:2'),
      'clones-back': s => imagesAre(s, 'clones:1 clones:1 clones:1 clones:1 clones:1'),
      'clones-gone': async s => {
        // Of a kind that is so new the garbage collector learns only later.
        await s.kubectl(['delete', 'pods', '-lapp=clones', '--wait=true'])
        await imagesAre(s, '')
        await standIns?.stop()
      },
    },
    async (_, { client }) => void (standIns = await startStandIns(client)),
  ]
}

/** The images of the pods of the CloneSet, sorted. */
async function imagesAre(s: Story, images: string): Promise<void> {
  const path = 'jsonpath={.items[*].spec.containers[0].image}'
  await s.until(images, async () => {
    const { stdout } = await s.kubectl(['get', 'pods', '-lapp=clones', '-o', path])
    return stdout.split(' ').toSorted().join(' ') === images
  })
}
