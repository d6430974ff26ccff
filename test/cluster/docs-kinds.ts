// What docs/kruise-kinds.md promises, with a controller that stands in for that of Kruise.

import { WORKLOAD_TYPE } from '#api/names.ts'
import { targetOf } from '#core/rollout/commands.ts'
import type { Preparation, Promises } from './docs-kruise.ts'
import { CLONE_SETS } from './kinds/resources.ts'
import { startStandIns } from './kinds/stand-in.ts'
import type { StandIns } from './kinds/stand-in.ts'
import { WORKLOAD, workloadOf } from './manifests.ts'
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
    async (s, { client }) => {
      standIns = await startStandIns(client)
      await taken(s)
    },
  ]
}

/** Until its policies know a new kind, the API server refuses an edit of a guarded object. */
async function taken(s: Story): Promise<void> {
  const { namespace, client } = s
  await client.create(CLONE_SETS, workloadOf(namespace, { kind: CLONE_SETS, replicas: 0 }))
  const target = targetOf({ ...CLONE_SETS, name: WORKLOAD })
  const guarded = { labels: { [WORKLOAD_TYPE]: 'cloneset' } }
  const template = { metadata: { annotations: { edited: 'true' } } }
  const patch = JSON.stringify({ metadata: guarded, spec: { template } })
  const edit = ['patch', target, '--type=merge', '--dry-run=server', '-p', patch]
  const isTaken = () =>
    s.kubectl(edit).then(
      () => true,
      () => false,
    )
  await s.until('an edit is taken', isTaken, 120_000)
  await s.kubectl(['delete', target])
}

/** The images of the pods of the CloneSet, sorted. */
async function imagesAre(s: Story, images: string): Promise<void> {
  const path = 'jsonpath={.items[*].spec.containers[0].image}'
  await s.until(images, async () => {
    const { stdout } = await s.kubectl(['get', 'pods', '-lapp=clones', '-o', path])
    return stdout.split(' ').toSorted().join(' ') === images
  })
}
