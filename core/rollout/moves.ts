// What is done so that a wish comes true: by the workload's adapter, as far as we may do it.

import type { Change, Creation, Deletion } from '../change.ts'
import { deleteDeploymentsCommand, deletePodsCommand } from '../commands.ts'
import { defined } from '../defined.ts'
import type { Move } from '../move.ts'
import { trafficMove } from '../traffic/moves.ts'
import type { RoutedPods, TrafficAim } from '../traffic/routed.ts'
import type { WorkloadAdapter } from '../workload/adapter.ts'
import type { WorkloadAction, Workload } from '../workload/model.ts'
import type { Action, Snapshot } from './model.ts'
import { stableRuns } from './plan-steps.ts'
import { noDeployments } from './release-style.ts'

/** What to do so that what the action wishes becomes true of the workload; undefined when it is. */
export function moveFor(s: Snapshot, action: Exclude<Action, { type: 'event' }>): Move | undefined {
  return action.type === 'route' ? routeMove(s, action.aim) : workloadMove(s, action)
}

/** What to do so that requests go where the aim says; undefined when they do, or nobody moves them. */
export function routeMove(s: Snapshot, aim: TrafficAim): Move | undefined {
  const { traffic, now } = s
  const whose = s.workload?.ref ?? s.rollout?.ref
  return traffic && trafficMove(defined({ traffic, pods: routedPods(s), whose }), aim, now)
}

function routedPods({ workload, rollout, adapter }: Snapshot): RoutedPods | undefined {
  if (!workload) return undefined
  const { stableRevision } = workload
  return {
    ...versionsOf(adapter!, {
      ...workload,
      stableRevision: stableRuns(workload) ? stableRevision : '',
    }),
    updatePods: newPodsIn(workload),
    podLabels: rollout?.podMetadata?.labels ?? {},
  }
}

/** Its pods to which requests may be sent. */
export function newPodsIn({ updatePods }: Pick<Workload, 'updatePods'>): RoutedPods['updatePods'] {
  return updatePods.map(({ metadata, readySince }) => defined({ uid: metadata.uid, readySince }))
}

/** How its pods are told apart, by the version that they run. */
export function versionsOf(
  { podVersion }: Pick<WorkloadAdapter, 'podVersion'>,
  { ref, uid, stableRevision, updateRevision }: Workload,
): Omit<RoutedPods, 'updatePods' | 'podLabels'> {
  const { label, valueOf } = podVersion
  const [stable, updated] = [valueOf(stableRevision), valueOf(updateRevision)]
  return { ref, uid, revisionLabel: label, stable, updated }
}

function workloadMove(s: Snapshot, action: WorkloadAction): Move | undefined {
  const move = s.workload && s.adapter?.move(s.workload, action, s.now)
  if (!move) return undefined
  const ours = s.podsLeft ? withoutDeletions(move) : move
  return s.deploymentsLeft ? withoutDeployments(ours) : ours
}

/** Whoever may delete them is told which. */
function withoutDeletions(move: Move): Move {
  const pods = move.changes.filter(isPodDeletion)
  if (pods.length === 0) return move
  const command = deletePodsCommand(pods.map(({ target }) => target))
  const why = `${move.why}: the controller has no right to delete pods (roles.deletePods of the chart), so delete them: ${command}`
  return { ...move, changes: move.changes.filter(change => !isPodDeletion(change)), why }
}

/** What is to be made waits; what is to go is said. */
function withoutDeployments(move: Move): Move {
  const theirs = move.changes.filter(isOfDeployment)
  if (theirs.length === 0) return move
  const gone = theirs.filter(change => change.type === 'delete').map(({ target }) => target)
  const so = gone.length > 0 ? `, so delete it: ${deleteDeploymentsCommand(gone)}` : ''
  const why = `${move.why}: ${noDeployments}${so}`
  return { ...move, changes: move.changes.filter(change => !isOfDeployment(change)), why }
}

function isOfDeployment(change: Change): change is Creation | Deletion {
  return change.type !== 'patch' && kindOf(change) === 'Deployment'
}

function kindOf(change: Creation | Deletion): string {
  return change.type === 'create' ? change.object.kind : change.target.kind
}

function isPodDeletion(change: Change): change is Deletion {
  return change.type === 'delete' && change.target.kind === 'Pod'
}
