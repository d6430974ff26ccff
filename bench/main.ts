// `npm run bench`: what a stepwise release costs the API server, beside a plain Deployment that rolls
// out the same edit in the same run. Ratios, not milliseconds: they hold on any machine.

import { mkdir, writeFile } from 'node:fs/promises'
import { cpus, release, totalmem } from 'node:os'

import { startWorld } from '#cluster/world.ts'
import type { World } from '#cluster/world.ts'
import { runProgram } from '#process/program.ts'
import { countWrites } from './audit.ts'
import type { Writes } from './audit.ts'

const sizes = [10, 100]

interface Row {
  readonly pods: number
  readonly plain: Writes
  readonly sluice: Writes
  /** Our writes for one step, the user's approvals and KCM's work apart. */
  readonly oursPerStep: number
  /** All writes of the release, against those of the plain Deployment. */
  readonly ratio: number
}

await runProgram('sluice bench', async () => {
  const world = await startWorld()
  try {
    const rows: Row[] = []
    for (const pods of sizes) {
      process.stderr.write(`${pods} pods: a plain rollout, then one of 3 steps\n`)
      rows.push(await measure(world, pods))
    }
    print(rows)
    await save(rows)
  } finally {
    await world.stop()
  }
})

async function measure(world: World, pods: number): Promise<Row> {
  const plain = await plainRollout(world, pods)
  const sluice = await steppedRelease(world, pods)
  const ours = sluice.byAuthor['sluice'] ?? 0
  return { pods, plain, sluice, oursPerStep: ours / 3, ratio: all(sluice) / all(plain) }
}

async function plainRollout(world: World, replicas: number): Promise<Writes> {
  const story = await world.story({ replicas, steps: false })
  const before = await countWrites(world.cluster.auditLog, story.namespace)
  await story.edit('app:2')
  await story.kubectl(['rollout', 'status', 'deployment/web'])
  return since(before, await countWrites(world.cluster.auditLog, story.namespace))
}

async function steppedRelease(world: World, replicas: number): Promise<Writes> {
  const story = await world.story({ replicas })
  const before = await countWrites(world.cluster.auditLog, story.namespace)
  await story.edit('app:2')
  for (const step of [1, 2]) {
    await story.reached(step)
    await story.approve()
  }
  await story.phase('Healthy')
  return since(before, await countWrites(world.cluster.auditLog, story.namespace))
}

function since(before: Writes, after: Writes): Writes {
  return {
    byAuthor: less(after.byAuthor, before.byAuthor),
    ours: less(after.ours, before.ours),
    conflicts: after.conflicts - before.conflicts,
    webhookCalls: after.webhookCalls - before.webhookCalls,
  }
}

function less(a: Readonly<Record<string, number>>, b: Readonly<Record<string, number>>) {
  return Object.fromEntries(Object.entries(a).map(([key, n]) => [key, n - (b[key] ?? 0)]))
}

function all({ byAuthor }: Writes): number {
  return Object.values(byAuthor).reduce((sum, n) => sum + n, 0)
}

function print(rows: readonly Row[]): void {
  const out = (line: string) => process.stdout.write(`${line}\n`)
  out(`machine: ${machine()}`)
  out('')
  out(
    '| pods | writes, plain | writes, 3 steps | ratio | ours | ours per step | conflicts | webhook calls |',
  )
  out('|---|---|---|---|---|---|---|---|')
  for (const { pods, plain, sluice, oursPerStep, ratio } of rows) {
    const written = Object.entries(sluice.ours).filter(([, n]) => n > 0)
    const ours = written.map(([what, n]) => `${n} ${what}`)
    const cells = [
      pods,
      all(plain),
      all(sluice),
      ratio.toFixed(2),
      ours.join(', '),
      oursPerStep.toFixed(1),
      sluice.conflicts,
      sluice.webhookCalls,
    ]
    out(`| ${cells.join(' | ')} |`)
  }
}

async function save(rows: readonly Row[]): Promise<void> {
  const folder = new URL('results/', import.meta.url)
  await mkdir(folder, { recursive: true })
  const at = new Date().toISOString()
  const file = new URL(`${at.replaceAll(':', '-')}.json`, folder)
  await writeFile(file, `${JSON.stringify({ at, machine: machine(), rows }, null, 2)}\n`)
}

function machine(): string {
  const cores = cpus()
  const memory = Math.round(totalmem() / 2 ** 30)
  return `${cores.length} x ${cores[0]?.model ?? 'unknown'}, ${memory} GiB, Linux ${release()}, Node ${process.version}`
}
