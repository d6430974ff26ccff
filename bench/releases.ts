// Releases of a Deployment of 10, one after the other, each beside the same edit of a plain one: what
// they cost in calls, writes and CPU, and how long each part takes.

import { setTimeout as delay } from 'node:timers/promises'

import { DEPLOYMENTS } from '#kube/resources.ts'
import { webhookCalls } from './admissions.ts'
import {
  chapters,
  conflictsIn,
  isApproval,
  isEditOf,
  ownConflictsIn,
  readAudit,
  tally,
  writesIn,
} from './audit.ts'
import type { Entry } from './audit.ts'
import type { Place } from './place.ts'
import { mean, spread } from './samples.ts'
import type { Spread } from './samples.ts'
import { calm } from './steps.ts'
import { STEPS, createSubject } from './subject.ts'
import type { Subject } from './subject.ts'
import { cpuSeconds } from './usage.ts'

/** Runs that are measured, and those before them that are not. */
export const RUNS = { measured: 20, warm: 5 }

/** What the releases have cost. Times in milliseconds. */
export interface Releases {
  readonly webhookCalls: Spread
  /** By the API server's metrics, for all measured releases together. */
  readonly webhookCallsByMetrics: number
  readonly webhookCallsByAudit: number
  /** The audit log has every edit and every approval of every measured release. */
  readonly complete: boolean
  readonly writes: Spread
  readonly writesByKind: Readonly<Record<string, number>>
  /** With whomever: the controller-manager writes to the same Deployment. */
  readonly conflicts: number
  /** With ourselves: the version that was met had been written by us. */
  readonly ownConflicts: number
  /** Deployment and Rollout status, of the step to 30 percent. */
  readonly writesPerStep: Spread
  /** The same of the step to 60 percent, which the strategy makes a surge wave of. */
  readonly writesPerSurgeStep: Spread
  readonly firstPod: Beside
  /** Of the plain Deployment, each beside a release of ours. */
  readonly plainRollOut: Spread
  /** Writes of ours between the edits and their first new pods: to the workload, and the others. */
  readonly beforeFirstPod: { readonly workload: number; readonly news: number }
  readonly approval: Spread
  readonly approvalBySize: Readonly<Record<string, Spread>>
  /** CPU seconds of both processes. */
  readonly cpu: Spread
  readonly cpuMean: number
}

/** The same thing with Sluice and without. */
export interface Beside {
  readonly ours: Spread
  readonly plain: Spread
}

interface Run {
  readonly firstPod: number
  readonly plainFirstPod: number
  readonly plainRollOut: number
  /** From the approval to the size, by size. */
  readonly approvals: Readonly<Record<number, number>>
  readonly cpu: number
}

/** Measures them. */
export async function releases(place: Place): Promise<Releases> {
  const plain = await createSubject(place, { steps: false })
  const ours = await createSubject(place, { steps: STEPS })
  const runs: Run[] = []
  let callsBefore = 0
  for (let run = 1 - RUNS.warm; run <= RUNS.measured; run++) {
    place.progress(run < 1 ? 'release: warming up' : `release ${run} of ${RUNS.measured}`)
    if (run === 1) callsBefore = await webhookCalls(place.cluster)
    const one = await measureOne(place, ours, plain)
    if (run >= 1) runs.push(one)
  }
  // News that only count are written later.
  await delay(2500)
  const callsByMetrics = (await webhookCalls(place.cluster)) - callsBefore
  const entries = (await readAudit(place.cluster.auditLog)).filter(
    ({ namespace }) => namespace === ours.namespace,
  )
  await Promise.all([ours.remove(), plain.remove()])
  return { ...timesOf(runs), ...countsOf(entries), webhookCallsByMetrics: callsByMetrics }
}

async function measureOne(place: Place, ours: Subject, plain: Subject): Promise<Run> {
  const plainEdit = await plain.edit()
  const plainFirstPod = (await plain.firstPod()) - plainEdit.acceptedAt
  const plainRollOut = (await plain.rolledOut()) - plainEdit.acceptedAt
  await calm()

  const before = cpuOf(place)
  const edit = await ours.edit()
  const firstPod = (await ours.firstPod()) - edit.acceptedAt
  const approvals: Record<number, number> = {}
  for (const [step, size] of [3, 6, 10].entries()) {
    await ours.paused(step + 1)
    await calm()
    const approved = await ours.approve()
    approvals[size] = (await ours.sized(size)) - approved.acceptedAt
  }
  await ours.healthy()
  await calm()
  return {
    firstPod,
    plainFirstPod,
    plainRollOut,
    approvals,
    cpu: cpuOf(place) - before,
  }
}

function cpuOf({ sluice }: Place): number {
  return cpuSeconds(sluice.webhook.pid) + cpuSeconds(sluice.controller.pid)
}

function timesOf(runs: readonly Run[]) {
  const of = (pick: (run: Run) => number) => spread(runs.map(pick))
  const sizes = [3, 6, 10]
  return {
    firstPod: { ours: of(run => run.firstPod), plain: of(run => run.plainFirstPod) },
    plainRollOut: of(run => run.plainRollOut),
    approval: spread(runs.flatMap(run => Object.values(run.approvals))),
    approvalBySize: Object.fromEntries(sizes.map(n => [n, of(run => run.approvals[n]!)])),
    cpu: of(run => run.cpu),
    cpuMean: mean(runs.map(run => run.cpu)),
  }
}

function countsOf(entries: readonly Entry[]) {
  const all = chapters(entries, isEditOf(DEPLOYMENTS.plural)).slice(-RUNS.measured)
  const writes = all.map(writesIn)
  const steps = all.map(release => chapters(release, isApproval).map(stepWrites))
  const counted = (lists: readonly (readonly Entry[] | undefined)[]) =>
    spread(lists.map(list => list?.length ?? 0))
  const calls = all.map(each => sumOf(each, ({ webhookCalls: count }) => count))
  const before = all.map(beforeFirstPod)
  return {
    webhookCalls: spread(calls),
    webhookCallsByAudit: sumOf(calls, count => count),
    complete: all.length === RUNS.measured && steps.every(({ length }) => length === 3),
    writes: counted(writes),
    writesByKind: tally(writes.at(-1)!.map(({ verb, resource }) => `${verb} ${resource}`)),
    conflicts: sumOf(all, release => conflictsIn(release).length),
    ownConflicts: sumOf(all, ownConflictsIn),
    writesPerStep: counted(steps.map(([second]) => second)),
    writesPerSurgeStep: counted(steps.map(([, third]) => third)),
    beforeFirstPod: {
      workload: sumOf(before, ({ workload }) => workload),
      news: sumOf(before, ({ news }) => news),
    },
  }
}

function stepWrites(entries: readonly Entry[]): readonly Entry[] {
  return writesIn(entries).filter(({ resource }) => stepResources.has(resource))
}

const stepResources = new Set(['deployments', 'rollouts/status'])
const workloadResources = new Set(['deployments', 'replicasets', 'deployments/status'])

function beforeFirstPod(release: readonly Entry[]) {
  const first = release.findIndex(({ verb, resource }) => verb === 'create' && resource === 'pods')
  // Without a pod everything came before it.
  const before = writesIn(first < 0 ? release : release.slice(0, first))
  const workload = before.filter(({ resource }) => workloadResources.has(resource)).length
  return { workload, news: before.length - workload }
}

function sumOf<T>(items: readonly T[], count: (item: T) => number): number {
  return items.reduce((sum, item) => sum + count(item), 0)
}
