// The simulated controller-manager, on which stories and histories rely, against the real one: the
// same random operations, and the same ReplicaSets when each has come to rest.
//
// A difference tells the seed of its sequence; SEED=1017 SEQUENCES=1 plays that one alone.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

import { beforeAll, expect, inject, test } from 'vitest'

import { KubeClient } from '#kube/client.ts'
import { fromKubeconfig } from '#kube/kubeconfig.ts'
import { bundle } from '../mutants/bundle.ts'
import type { Replacement } from '../mutants/bundle.ts'
import { compare } from '../world/replay.ts'
import type { Recording } from '../world/replay.ts'
import { inLanes } from './lanes.ts'
import { startRecorder } from './recording.ts'

const firstSeed = Number(process.env['SEED'] ?? 1000)
const sequences = Number(process.env['SEQUENCES'] ?? 75)
const atOnce = 40
/** Turns of a sequence in which who comes first decides; on a busy machine it was 4 in 300. */
const racedMost = 20 / 300

let recordings: readonly Recording[]

beforeAll(async () => {
  const client = new KubeClient(await fromKubeconfig(inject('cluster').kubeconfig))
  try {
    recordings = await recorded(client)
  } finally {
    await client.close()
  }
})

/** Many sequences at once, each in a namespace of its own. */
async function recorded(client: KubeClient): Promise<readonly Recording[]> {
  const recorder = await startRecorder(client)
  const seeds = Array.from({ length: sequences }, (_, i) => firstSeed + i)
  try {
    return await inLanes(atOnce, seeds, recorder.record)
  } finally {
    await recorder.stop()
  }
}

test('the simulated controller-manager sizes ReplicaSets as the real one does', () => {
  const compared = recordings.map(compare)
  const different = compared.flatMap(({ difference }) => difference ?? [])
  expect(different).toEqual([])
  expect(recordings.map(({ turns }) => turns.length)).toEqual(recordings.map(() => 20))
  // What depends on who comes first is the exception, or the comparison would prove little.
  const raced = compared.reduce((sum, each) => sum + each.raced, 0)
  console.log(`${raced} of ${sequences * 20} turns needed another order than the plain one`)
  expect(raced).toBeLessThanOrEqual(Math.ceil(sequences * racedMost))
})

const controller = 'test/world/deployment-controller.ts'
const fenceposts = 'test/world/fenceposts.ts'

/** Rules of the controller-manager, each amiss in one way. */
const amiss: readonly (readonly [rule: string, wrong: Replacement])[] = [
  [
    'a surge is rounded up',
    { file: fenceposts, text: 'replicas, Math.ceil)', instead: 'replicas, Math.floor)' },
  ],
  [
    'a budget is rounded down',
    { file: fenceposts, text: 'replicas, Math.floor)', instead: 'replicas, Math.ceil)' },
  ],
  [
    'a share of a scaling is rounded to the next number',
    { file: controller, text: 'Math.round(', instead: 'Math.floor(' },
  ],
]

test.each(amiss)('the comparison would notice if it were amiss that %s', async (_, wrong) => {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-amiss-'))
  try {
    const file = join(folder, 'replay.mjs')
    await bundle('test/world/replay.ts', file, wrong)
    const { href } = pathToFileURL(file)
    const { compare: compareAmiss } = (await import(href)) as { compare: typeof compare }
    const noticed = recordings.find(each => compareAmiss(each).difference !== undefined)
    expect(noticed).toBeDefined()
  } finally {
    await rm(folder, { recursive: true })
  }
})
