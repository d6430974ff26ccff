// Releases of each kind and style of 10 pods: what a step writes, and how long it takes from its approval
// until the kind's own controller counts as many new pods. For the kinds of Kruise stand-ins count.

import { makePool } from '../test/cluster/kinds/nodes.ts'
import {
  CLONE_SETS,
  KRUISE_DAEMON_SETS,
  KRUISE_STATEFUL_SETS,
} from '../test/cluster/kinds/resources.ts'
import { startStandIns } from '../test/cluster/kinds/stand-in.ts'
import type { StoryOptions } from '../test/cluster/manifests.ts'
import type { Entry } from './audit.ts'
import { createGuarded } from './guarded.ts'
import type { Guarded } from './guarded.ts'
import { named } from './place.ts'
import type { Family, Place } from './place.ts'
import { spread } from './samples.ts'
import type { Spread } from './samples.ts'
import { calm, readSteps } from './steps.ts'
import type { StepWrites } from './steps.ts'

/** Releases that are measured, and those before them that are not. */
const RUNS = { measured: 4, warm: 1 }
/** New pods in the pauses; the last step is the end of a release, and is not measured. */
const sizes = [1, 3, 6, 10]
const steps = ['10%', '30%', '60%', '100%'].map(replicas => ({ replicas }))

/** What the steps to 30 and to 60 percent have cost. */
export interface KindFigures {
  /** All objects of the release but its events, and without the deletions of pods. */
  readonly writesPerStep: Spread
  /** Pods that are deleted to come again new: by us, where the kind cannot be told to. */
  readonly deletionsPerStep: Spread
  readonly writesByKind: Readonly<Record<string, number>>
  /** Milliseconds from the approval until the controller counts the step's new pods. */
  readonly latency: Spread
  /** The audit log has every edit and every approval of every measured release. */
  readonly complete: boolean
}

/** One kind or style. */
export interface KindRow {
  readonly name: string
  /** As the table calls it. */
  readonly what: string
  readonly options: StoryOptions
  /** On ten nodes of its own. */
  readonly onNodes?: true
  /** A stand-in is its controller. */
  readonly standIn?: true
  /** Pods are deleted by us: each is a write beside the others. */
  readonly deletes?: true
}

const aQuarter = { updateStrategy: { rollingUpdate: { maxUnavailable: '25%' } } }

/** Every kind and style beside the Deployment of the other rows. */
export const kinds: readonly KindRow[] = [
  { name: 'statefulset', what: 'a StatefulSet', options: { kind: 'StatefulSet' } },
  {
    name: 'daemonset',
    what: 'a DaemonSet on 10 nodes',
    options: { kind: 'DaemonSet', spec: aQuarter },
    onNodes: true,
    deletes: true,
  },
  {
    name: 'cloneset',
    what: 'a CloneSet',
    options: { kind: CLONE_SETS, spec: { updateStrategy: { maxUnavailable: '25%' } } },
    standIn: true,
  },
  {
    name: 'kruise-statefulset',
    what: 'a StatefulSet of Kruise',
    options: { kind: KRUISE_STATEFUL_SETS, spec: aQuarter },
    standIn: true,
  },
  {
    name: 'kruise-daemonset',
    what: 'a DaemonSet of Kruise on 10 nodes',
    options: { kind: KRUISE_DAEMON_SETS, spec: aQuarter },
    onNodes: true,
    standIn: true,
  },
  {
    name: 'canary-style',
    what: 'a Deployment, its new pods in a second one',
    options: { canary: { enableExtraWorkloadForCanary: true } },
  },
  { name: 'blue-green', what: 'a Deployment, blue-green', options: { blueGreen: true } },
]

/** How one of them is measured. */
export function familyOf(row: KindRow): Family<KindFigures> {
  return named(row.name, async place => {
    const standIns = row.standIn && (await startStandIns(place.client))
    try {
      return await measure(place, row)
    } finally {
      await standIns?.stop()
    }
  })
}

const pool: Family<Awaited<ReturnType<typeof makePool>>> = ({ client }) => makePool(client, 10)

async function measure(place: Place, { what, options, onNodes }: KindRow): Promise<KindFigures> {
  place.progress(`releases of ${what}`)
  const pod = onNodes ? (await place.shared(pool)).placement : {}
  const guarded = await createGuarded(place, { steps, pod, ...options })
  const latencies: number[] = []
  for (let run = 1 - RUNS.warm; run <= RUNS.measured; run++) {
    const found = await release(guarded)
    if (run >= 1) latencies.push(...found)
  }
  const { namespace, plural } = guarded
  const asked = { namespace, plural, releases: RUNS.measured, steps: sizes.length - 2 }
  const written = await readSteps(place, asked)
  await guarded.remove()
  return { ...countsOf(written), latency: spread(latencies) }
}

/** Goes through one release, and gives how long the steps in the middle have taken. */
async function release(guarded: Guarded): Promise<readonly number[]> {
  await guarded.edit()
  const latencies: number[] = []
  for (let step = 1; step < sizes.length; step++) {
    await guarded.paused(step)
    await calm()
    const { acceptedAt } = await guarded.approve()
    if (step + 1 < sizes.length) latencies.push((await guarded.counted(sizes[step]!)) - acceptedAt)
  }
  await guarded.ended(sizes.length)
  await calm()
  return latencies
}

function countsOf({ writes, writesByKind, approvals }: StepWrites): Omit<KindFigures, 'latency'> {
  const count = (counts: (entry: Entry) => boolean) =>
    spread(writes.map(step => step.filter(counts).length))
  return {
    writesPerStep: count(each => !isDeletion(each)),
    deletionsPerStep: count(isDeletion),
    writesByKind,
    complete:
      approvals.length === RUNS.measured && approvals.every(given => given >= sizes.length - 1),
  }
}

function isDeletion({ verb, resource }: Entry): boolean {
  return verb === 'delete' && resource === 'pods'
}
