// The table of the bench: what is measured, what Kruise Rollouts was measured to need, what Sluice must
// reach, and by which family it is measured. docs/performance.md has the same rows; a test compares.

import { approvals } from './approvals.ts'
import { burst, crowd } from './crowd.ts'
import { edits } from './edits.ts'
import { counted } from './floor.ts'
import type { Limit } from './floor.ts'
import { idle } from './idle.ts'
import { familyOf, kinds } from './kinds.ts'
import type { KindRow } from './kinds.ts'
import { large } from './large.ts'
import type { Family } from './place.ts'
import { releases } from './releases.ts'
import type { Beside } from './releases.ts'
import { inWords, short } from './samples.ts'
import type { Spread } from './samples.ts'
import { scripts } from './scripts.ts'
import { slope } from './slope.ts'
import { straight } from './straight.ts'
import { byIngress, byIngressGraced, byRoute } from './traffic.ts'
import type { TrafficFigures } from './traffic.ts'

/** What came out, and whether that is as good as it must be. */
export interface Judged {
  readonly ours: string
  readonly met: boolean
  /**
   * If it misses, then by time alone, which depends on how busy the machine is: it is measured again.
   * A count that misses has missed.
   */
  readonly again?: boolean
}

/** One row of the table. */
export interface Row {
  /** For `--only`. */
  readonly name: string
  /** For `--only` as well: all rows of that group. */
  readonly group?: string
  readonly what: string
  /** Of Kruise Rollouts, measured on the same kind of machine and control plane. */
  readonly peer: string
  readonly target: string
  readonly family: Family<unknown>
  /** Takes what the family has measured. */
  readonly judge: (measured: unknown) => Judged
}

interface Declared<F> extends Pick<Row, 'name' | 'group' | 'what' | 'peer' | 'target'> {
  readonly judge: (measured: F) => Judged
}

function row<F>(family: Family<F>, declared: Declared<F>): Row {
  const judge = (measured: unknown) => declared.judge(measured as F)
  return { ...declared, family, judge }
}

/** Every row, in the order of the table. */
export const rows: readonly Row[] = [
  row(releases, {
    name: 'webhook-calls',
    what: 'webhook calls per release, edit to Healthy',
    peer: '124',
    target: 'at most 8',
    judge: ({ webhookCalls, webhookCallsByAudit, webhookCallsByMetrics, complete }) => {
      const mean = webhookCallsByMetrics / webhookCalls.runs
      // The API server may repeat a write inside one request, which the audit log has once.
      const credible = webhookCallsByAudit > 0 && webhookCallsByAudit <= webhookCallsByMetrics
      return {
        ours: `${inWords(webhookCalls)}; by the metrics mean ${short(mean)}`,
        met: webhookCalls.p99 <= 8 && mean <= 8 && credible && complete,
      }
    },
  }),
  row(releases, {
    name: 'writes-per-release',
    what: 'writes per release, all objects and events of ours, leases apart',
    peer: '309, 39 of them conflicts',
    target: 'at most 18, no conflict with ourselves',
    judge: ({ writes, ownConflicts, complete }) => ({
      ours: `${inWords(writes)}; ${ownConflicts} conflicts with ourselves`,
      met: writes.p99 <= 18 && ownConflicts === 0 && complete,
    }),
  }),
  row(releases, {
    name: 'writes-per-step',
    what: 'writes per step, Deployment and Rollout status',
    peer: '53-96',
    target: 'at most 3 without surge waves',
    judge: ({ writesPerStep, writesPerSurgeStep, complete }) => ({
      ours: `${inWords(writesPerStep)}; with a surge wave ${inWords(writesPerSurgeStep)}`,
      met: writesPerStep.p99 <= 3 && complete,
    }),
  }),
  row(releases, {
    name: 'first-pod',
    what: 'edit accepted -> first new pod created',
    peer: '5.1 s',
    target: 'no write of ours to the workload in between; at most 1.2 times the plain Deployment',
    judge: ({ firstPod, beforeFirstPod: { workload, news }, complete }) => ({
      ours: `${besides(firstPod)}; ${workload} writes to the workload in between, ${news} of news`,
      met: ratio(firstPod) <= 1.2 && workload === 0 && complete,
      again: workload === 0 && complete,
    }),
  }),
  row(releases, {
    name: 'approval',
    what: "approve accepted -> new ReplicaSet at the step's size",
    peer: '1.1-2.2 s',
    target: 'p50 at most 60 ms, p99 at most 300 ms',
    judge: ({ approval, plainRollOut }) =>
      inTime(inWords(approval, ' ms'), plainRollOut, [
        { name: 'p50 ', time: approval.p50, most: 60, unit: 'ms' },
        { name: 'p99 ', time: approval.p99, most: 300, unit: 'ms' },
      ]),
  }),
  row(approvals, {
    name: 'early-approvals',
    what: 'approvals given the moment the pause is seen',
    peer: '19 of 48 lost',
    target: '0 of 48 lost',
    judge: ({ given, lost }) => ({ ours: `${lost} of ${given} lost`, met: lost === 0 }),
  }),
  row(straight, {
    name: 'four-steps',
    what: 'four steps without pauses, edit -> Healthy',
    peer: '18 s',
    target: 'at most 3 times the plain Deployment',
    judge: times => ({ ours: besides(times), met: ratio(times) <= 3, again: true }),
  }),
  row(releases, {
    name: 'cpu',
    what: 'CPU per release',
    peer: '0.62 s',
    target: 'at most 0.2 s',
    judge: ({ cpu, cpuMean, plainRollOut }) =>
      inTime(`mean ${short(cpuMean)} s, ${inWords(cpu, ' s')}`, plainRollOut, [
        { name: 'mean ', time: cpuMean, most: 0.2, unit: 's' },
      ]),
  }),
  row(edits, {
    name: 'held-edit',
    what: 'added latency of a held edit',
    peer: '2 calls of 3.5 ms',
    target: 'p50 at most 5 ms over the same edit unmanaged; with the policy: reported',
    judge: ({ webhook, withPolicy }) => {
      const judged = inTime(added(webhook), webhook.plainRollOut, [
        { name: 'p50 ', time: addedMs(webhook), most: 5, unit: 'ms' },
      ])
      return { ...judged, ours: `${judged.ours}; with the policy ${added(withPolicy)}` }
    },
  }),
  row(burst, {
    name: 'burst',
    what: '100 Rollouts of 10 pods edited at once by one HTTP client -> all at their first pause',
    peer: '87 s, 5,457 writes',
    target: 'at most 6 s, at most 500 writes',
    judge: ({ seconds, writes, plainRollOut }) => {
      const judged = inTime(`${short(seconds)} s, ${writes} writes`, plainRollOut, [
        { name: '', time: seconds, most: 6, unit: 's' },
      ])
      const few = writes <= 500
      return { ...judged, met: judged.met && few, again: few }
    },
  }),
  row(large, {
    name: 'large-step',
    what: 'one step of 1,000 pods, 30 -> 60%',
    peer: '-',
    target: 'at most 12 writes',
    judge: ({ writes, seconds }) => ({
      ours: `${writes} writes, ${short(seconds)} s`,
      met: writes <= 12,
    }),
  }),
  row(memory, {
    name: 'memory',
    what: 'memory (RSS) of the controller, idle and with 100 Rollouts and 1,000 pods',
    peer: '56 and 81 MiB (Go)',
    target: 'reported; slope per pod at most 1 KiB; at most 120 MiB',
    judge: ({ idleMiB, loadedMiB, webhookMiB, bytesPerPod }) => ({
      ours: `${short(idleMiB)} and ${short(loadedMiB)} MiB (webhook ${short(webhookMiB)}); ${Math.round(bytesPerPod)} B per pod`,
      met: loadedMiB <= 120 && idleMiB <= 120 && bytesPerPod <= 1024,
    }),
  }),
  row(idle, {
    name: 'idle-requests',
    what: 'idle API requests per hour',
    peer: '240',
    target: 'reported, at most 1,000',
    judge: ({ requestsPerHour }) => ({
      ours: String(Math.round(requestsPerHour)),
      met: requestsPerHour <= 1000,
    }),
  }),
  row(byRoute, {
    name: 'traffic-step',
    group: 'traffic',
    what: 'a step of requests alone by an HTTPRoute, `gracePeriodSeconds: 3`, approve accepted -> split proven',
    peer: 'at least 3 s',
    target: 'p50 at most 100 ms: its status proves it',
    judge: soon,
  }),
  row(byIngress, {
    name: 'traffic-step-ingress',
    group: 'traffic',
    what: 'the same by an Ingress, `gracePeriodSeconds: 0`',
    peer: 'at least 3 s',
    target: 'p50 at most 100 ms',
    judge: soon,
  }),
  row(byIngressGraced, {
    name: 'traffic-step-grace',
    group: 'traffic',
    what: 'the same by an Ingress, `gracePeriodSeconds: 3`',
    peer: 'at least 3 s',
    target: 'p50 at most 100 ms after the grace period',
    judge: soon,
  }),
  row(byRoute, {
    name: 'traffic-writes',
    group: 'traffic',
    what: 'writes of such a step by an HTTPRoute',
    peer: '-',
    target: 'at most 4',
    judge: ({ writesPerStep, complete }) => ({
      ours: inWords(writesPerStep),
      met: writesPerStep.p99 <= 4 && complete,
    }),
  }),
  row(scripts, {
    name: 'traffic-script',
    group: 'traffic',
    what: 'one call of a traffic script, for an Ingress and a VirtualService',
    peer: '-',
    target: 'p50 at most 2 ms',
    judge: ({ call, plainRollOut }) =>
      inTime(inWords(call, ' ms'), plainRollOut, [
        { name: 'p50 ', time: call.p50, most: 2, unit: 'ms' },
      ]),
  }),
  ...kinds.map(kindRow),
]

/** Writes are judged; the pace of a step is that of the kind's own controller and of its pods. */
function kindRow(kind: KindRow): Row {
  const { name, what, deletes } = kind
  return row(familyOf(kind), {
    name,
    group: 'kinds',
    what: `${what}: writes per step, approve accepted -> its controller counts the step's pods`,
    peer: '-',
    target: `at most 3 writes${deletes ? ', and one for each pod' : ''}; the time is reported`,
    judge: ({ writesPerStep, deletionsPerStep, latency, complete }) => {
      const pods = deletes ? `, pods deleted ${inWords(deletionsPerStep)}` : ''
      return {
        ours: `${inWords(writesPerStep)}${pods}; ${inWords(latency, ' ms')}`,
        met: writesPerStep.p99 <= 3 && deletionsPerStep.p99 <= (deletes ? 3 : 0) && complete,
      }
    },
  })
}

/** What the controller takes of memory. */
async function memory(place: Parameters<Family<unknown>>[0]) {
  const before = await place.shared(idle)
  const after = await place.shared(crowd)
  return {
    idleMiB: before.controllerMiB,
    loadedMiB: after.controllerMiB,
    webhookMiB: after.webhookMiB,
    bytesPerPod: await place.shared(slope),
  }
}

/** Judges times beside the plain roll-outs of their run; a row that misses is measured again. */
function inTime(ours: string, plain: Spread, limits: readonly Limit[]): Judged {
  const { words, met } = counted(plain, limits)
  return { ours: `${ours}; ${words}`, met, again: true }
}

function soon({ latency, graceMs, plainRollOut }: TrafficFigures): Judged {
  const name = graceMs > 0 ? 'after it p50 ' : 'p50 '
  return inTime(inWords(latency, ' ms'), plainRollOut, [
    { name, time: latency.p50 - graceMs, most: 100, unit: 'ms' },
  ])
}

function ratio({ ours, plain }: Beside): number {
  return ours.p50 / plain.p50
}

function besides(times: Beside): string {
  const { ours, plain } = times
  return `${short(ratio(times))} times: ${inWords(ours, ' ms')}, plain ${inWords(plain, ' ms')}`
}

function addedMs({ ours, plain }: Beside): number {
  return ours.p50 - plain.p50
}

function added(times: Beside): string {
  return `p50 ${short(addedMs(times))} ms (${besides(times)})`
}
