// What is true of one recorded state: who runs how many pods, whether anybody still has something to
// do, and a line that a person can read.

import { ARMED_MIN_READY_SECONDS } from '#api/names.ts'
import { parsePairs } from '#core/workload/hold.ts'
import type { WorkloadFacts, ReplicaSetFacts, RolloutFacts, State } from './chronicle-facts.ts'

/** The pods of a ReplicaSet that are Ready and stay so: those on their way out do not count. */
export function readyOf({ pods }: State, set: ReplicaSetFacts): number {
  const ready = pods.filter(pod => isReadyIn(set, pod)).length
  return Math.min(ready, set.replicas)
}

/** Ready pods that stay Ready when every ReplicaSet has the size that it is asked for. */
export function keptReady(state: State): number {
  return sum(state.sets.map(set => readyOf(state, set)))
}

/** How many pods all ReplicaSets ask for. */
export function total({ sets }: State): number {
  return sum(sets.map(set => set.replicas))
}

/** Those that ask for pods. */
export function active({ sets }: State): readonly ReplicaSetFacts[] {
  return sets.filter(set => set.replicas > 0)
}

/** The controller-manager has seen the Deployment as it is, and counted what is there. */
export function isSeen(state: State): boolean {
  const { workload, sets } = state
  if (!workload || workload.observedGeneration < workload.generation) return false
  if (workload.owns && workload.readyReplicas !== keptReady(state)) return false
  return sets.every(set => set.observed && set.readyReplicas === readyOf(state, set))
}

/** Nobody but us has anything left to do: each ReplicaSet has its size, and all its pods are Ready. */
export function isSettled(state: State): boolean {
  return isSeen(state) && keptReady(state) === total(state)
}

/** A person may look away: the release waits for him, was taken back, or there is none. */
export function isAtRest(state: State): boolean {
  const { rollout } = state
  if (!rollout || rollout.told.observedGeneration !== rollout.generation) return false
  const { state: word, stalled } = rollout.told
  return word === 'StepPaused' || stalled || isBroken(state) || isRight(state)
}

/** The pods that were let out will never be Ready. */
function isBroken(state: State): boolean {
  const { image = '' } = { ...state.workload }
  const out = active(state).some(set => set.image === image)
  return image.includes('broken') && out && isSeen(state)
}

/** Everybody runs what is wanted and is available, nothing of ours is left, and the Rollout says so. */
export function isRight(state: State): boolean {
  const { workload, rollout } = state
  if (!workload || !rollout) return false
  const { told, generation } = rollout
  const said = told.phase === 'Healthy' && told.observedGeneration === generation
  const free = workload.hold === undefined && !workload.recorded && !workload.caught
  return said && free && isSeen(state) && runsEverywhere(state, workload) && isCounted(state)
}

/** Nobody has anything left to tell of pods that are Ready, or gone. */
function isCounted({ workload, sets }: State): boolean {
  const { replicas, availableReplicas = replicas } = workload!
  const leaving = [workload!, ...sets].some(
    ({ terminatingReplicas = 0 }) => terminatingReplicas > 0,
  )
  return availableReplicas === replicas && !leaving
}

function runsEverywhere(state: State, { image, replicas, readyReplicas }: WorkloadFacts): boolean {
  const sets = active(state)
  const sizes = sets.every(set => set.image === image && set.replicas === replicas)
  const one = sets.length === Math.min(replicas, 1) && sizes
  const counts = [keptReady(state), state.pods.length, readyReplicas]
  return one && counts.every(count => count === replicas)
}

/** One state in a line: when, what changed, the Deployment's fields, the step, the pods. */
export function lineOf(state: State): string {
  const { version, changed, workload, rollout } = state
  const sets = state.sets
    .filter(set => set.replicas > 0 || readyOf(state, set) > 0)
    .map(set => `${imageWord(set.image)}${inSet(state, set)}`)
  const step = rollout ? stepOf(rollout.told) : 'no Rollout'
  const fields = workload ? fieldsOf(workload) : 'no Deployment'
  const at = new Date(state.at).toISOString().slice(17, 23)
  return `${version} ${at} ${changed?.kind} ${changed?.name}: ${fields} | ${step} | ${sets.join(' ')}`
}

function stepOf({ phase, step, state }: RolloutFacts['told']): string {
  return phase === 'Progressing' ? `${step} ${state}` : phase
}

function inSet(state: State, set: ReplicaSetFacts): string {
  const armed = isArmed(set) ? '!' : ''
  const other = set.desired === state.workload?.replicas ? '' : `(of ${set.desired})`
  return `${armed}:${readyOf(state, set)}/${set.replicas}${other}`
}

function fieldsOf(workload: WorkloadFacts): string {
  const { maxUnavailable, maxSurge } = { ...workload.strategy.rollingUpdate }
  const armed = isArmed(workload) ? ' armed' : ''
  const paused = workload.paused ? ' paused' : ''
  const caught = workload.caught ? ' caught' : ''
  const seen = workload.observedGeneration >= workload.generation ? '' : ' unseen'
  const hold = workload.hold === undefined ? '' : ` ${holdWords(workload.hold)}`
  const image = imageWord(workload.image)
  return `${image} R=${workload.replicas} ${maxUnavailable}+${maxSurge}${armed}${paused}${caught}${seen}${hold}`
}

function holdWords(hold: string): string {
  const pairs = parsePairs(hold)
  return `[${pairs.get('mode')} ${pairs.get('pods')} #${pairs.get('seq')}]`
}

/** It never counts a pod as available. */
export function isArmed({ minReadySeconds }: { readonly minReadySeconds: number }): boolean {
  return minReadySeconds === ARMED_MIN_READY_SECONDS
}

function isReadyIn({ metadata }: ReplicaSetFacts, pod: State['pods'][number]): boolean {
  return pod.owner === metadata.uid && pod.ready && !pod.terminating
}

function imageWord(image: string): string {
  return image.replace('app:', '')
}

/** The sum. */
export function sum(numbers: readonly number[]): number {
  return numbers.reduce((a, b) => a + b, 0)
}
