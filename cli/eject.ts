// `sluice eject`: gives workloads back and proves it. Works with the API server and the
// controller-manager alone; every write is refused where somebody else was quicker, and then it is
// looked again.

import type { KubeObject } from '#api/kubernetes.ts'
import type { Rollout } from '#api/rollout.generated.ts'
import { targetOf } from '#core/rollout/commands.ts'
import type { WorkloadAdapter } from '#core/workload/adapter.ts'
import { recordOf } from '#core/workload/record.ts'
import type { OwnerValues } from '#core/workload/record.ts'
import type { KubeClient } from '#kube/client.ts'
import { Conflict, NotFound } from '#kube/errors.ts'
import { REPLICA_SETS } from '#kube/resources.ts'
import type { ResourceType } from '#kube/resources.ts'
import { abreast } from './abreast.ts'
import { difference, nextStep, ownerOf, traces } from './ejection.ts'
import type { Stand, Step } from './ejection.ts'
import { CLI_MANAGER, fieldOwners } from './field-owners.ts'
import type { Surroundings } from './run.ts'
import { readRollouts, readStand, readStands, resourceOf, rolloutFor } from './stands.ts'
import {
  abortedRefusal,
  isAborted,
  lostRefusal,
  namedRefusal,
  nameOf,
  routedRefusal,
  story,
} from './words.ts'

/** What is to be given back. */
export interface Ejection {
  /** Undefined: all namespaces. */
  readonly namespace?: string
  /** One workload; undefined: every one with a trace of ours. */
  readonly workload?: NamedWorkload
  /** Of these kinds; not asked for one workload. */
  readonly adapters: readonly WorkloadAdapter[]
  readonly dryRun: boolean
  /** Although Rollouts name them: no controller is there to guard them again. */
  readonly keepRollouts: boolean
  readonly withAborted: boolean
}

/** One workload of a namespace. */
export interface NamedWorkload {
  readonly adapter: WorkloadAdapter
  readonly name: string
}

/** Where it says what it does, and what may end it between two workloads. */
type Saying = Pick<Surroundings, 'print' | 'complain'> & { readonly stop?: AbortSignal }

/** Gives back what was asked for, one line each; false where one was not. Throws when it cannot read. */
export async function eject(
  client: KubeClient,
  ejection: Ejection,
  saying: Saying,
): Promise<boolean> {
  const { namespace, workload, dryRun } = ejection
  const stands =
    workload === undefined
      ? await readStands(client, namespace, ejection.adapters)
      : [await readStand(client, workload.adapter, { namespace: namespace!, name: workload.name })]
  const rollouts = await readRollouts(client, namespace)
  const traced = stands.filter(stand => traces(stand).length > 0)
  if (traced.length === 0) saying.print(nothingFound(ejection))
  if (traced.length > 1) saying.print(`giving back ${traced.length} workloads${aside(ejection)}`)
  const outcomes = abreast(traced, async (stand): Promise<Outcome | undefined> => {
    if (saying.stop?.aborted) return undefined
    const decide = (now: Stand) => judge(now, rolloutFor(now.workload, rollouts), ejection)
    return dryRun ? decide(stand) : carriedOut(client, stand, decide)
  })
  let [given, left] = [0, 0]
  for (const [index, { workload: each }] of traced.entries()) {
    const outcome = await outcomes[index]
    if (!outcome) left += 1
    else if (told(each, outcome, ejection, saying)) given += 1
  }
  if (left > 0) saying.complain(`ended before ${left} of ${traced.length} workloads`)
  return given === traced.length
}

function aside({ dryRun }: Ejection): string {
  return dryRun ? ' (dry run)' : ''
}

/** Says what became of one workload; gives whether it was given back. */
function told(
  workload: KubeObject,
  { line, refusal }: Outcome,
  ejection: Ejection,
  { print, complain }: Saying,
): boolean {
  const name = nameOf(workload)
  if (refusal === undefined) print(`${name}: ${line}${aside(ejection)}`)
  else complain(`${name}: not given back: ${refusal}`)
  return refusal === undefined
}

function nothingFound({ namespace, workload }: Ejection): string {
  if (workload !== undefined) {
    const { adapter, name } = workload
    return `${namespace}/${targetOf({ ...adapter, name })}: nothing of Sluice is on it`
  }
  const where = namespace === undefined ? 'any namespace' : `namespace ${namespace}`
  return `nothing of Sluice is on any workload of ${where}`
}

/** What is said in the end. */
type Outcome =
  | { readonly line: string; readonly refusal?: undefined }
  | { readonly line?: undefined; readonly refusal: string }

/** What its owner wants is known, and nothing speaks against giving it to him. */
interface Decided {
  readonly owner: OwnerValues
  readonly line: string
  readonly refusal?: undefined
}

type Verdict = Decided | (Outcome & { readonly owner?: undefined; readonly line?: undefined })

function judge(stand: Stand, rollout: Rollout | undefined, ejection: Ejection): Verdict {
  const { keepRollouts, withAborted } = ejection
  if (rollout && rollout.spec.disabled !== true && !keepRollouts)
    return { refusal: namedRefusal(stand, rollout) }
  const owner = ownerOf(stand)
  if (!owner) return { refusal: lostRefusal(stand) }
  if (isAborted(stand) && !withAborted) return { refusal: abortedRefusal(stand) }
  const { traffic } = { ...recordOf(stand.workload) }
  if (traffic) return { refusal: routedRefusal(stand, traffic) }
  return { owner, line: story(stand, owner, rollout) }
}

/** Gives what was done, which is proven by reading it back, or why it was not. */
async function carriedOut(
  client: KubeClient,
  stand: Stand,
  decide: (stand: Stand) => Verdict,
): Promise<Outcome> {
  try {
    return await giveBack(client, stand, decide)
  } catch (error) {
    return { refusal: error instanceof Error ? error.message : String(error) }
  }
}

async function giveBack(
  client: KubeClient,
  first: Stand,
  decide: (stand: Stand) => Verdict,
): Promise<Outcome> {
  const { namespace = '', name, uid } = first.workload.metadata
  const progress = new Progress()
  let stand: Stand | undefined = first
  let decided = first
  while (stand && stand.workload.metadata.uid === uid) {
    const verdict = decide(decided)
    if (!verdict.owner) return verdict
    const aim = { owner: verdict.owner, fieldOwners: fieldOwners(decided.workload) }
    const step = nextStep(stand, aim)
    if (!step) return proven(stand, verdict)
    progress.check(stand, step)
    if (await take(client, first.adapter, step)) progress.note(step)
    stand = await readStand(client, first.adapter, { namespace, name }).catch(unlessGone)
    // Its owner may want something else by now: until it was given to him, that counts.
    if (stand && !progress.given) decided = stand
  }
  return { line: 'it was deleted meanwhile' }
}

/** As long as this passes without anything getting done, there is hope. */
const PATIENCE_MS = 30_000
/** Two are enough; some more for whoever writes at the same time. Then somebody guards it again. */
const MOST_WRITES = 8

/** Sees that it comes to an end, whatever others do. */
class Progress {
  #since = performance.now()
  #writes = 0

  /** The owner's values are on the workload. */
  get given(): boolean {
    return this.#writes > 0
  }

  /** Throws one line where there is no hope. */
  check(stand: Stand, step: Step): void {
    if (performance.now() - this.#since > PATIENCE_MS) throw new Error(noProgress(step))
    if (this.#writes > MOST_WRITES) throw new Error(back(stand))
  }

  /** The step has been taken. */
  note({ object }: Step): void {
    this.#since = performance.now()
    if (object.kind !== REPLICA_SETS.kind) this.#writes++
  }
}

function proven(stand: Stand, { owner, line }: Decided): Outcome {
  const refusal = difference(stand, owner)
  return refusal === undefined ? { line } : { refusal }
}

/** Gives whether something was written. */
async function take(client: KubeClient, adapter: WorkloadAdapter, step: Step): Promise<boolean> {
  const type = typeOf(adapter, step.object)
  if (step.type !== 'wait') return write(client, type, step)
  await nextChange(client, type, step.object)
  return false
}

function back(stand: Stand): string {
  return `${traces(stand).join(', ')}: comes back; does a controller run that guards it?`
}

function noProgress({ type, object }: Step): string {
  const what = `${object.kind} ${object.metadata.name}`
  const time = `${PATIENCE_MS / 1000} s`
  if (type === 'write') return `others have written to ${what} all the time for ${time}`
  return `the controller-manager has not looked at ${what} for ${time}: is it running? Eject again then`
}

function unlessGone(error: unknown): undefined {
  if (error instanceof NotFound) return undefined
  throw error
}

/** Gives false where somebody was quicker, or it is gone: what is read next says what is left to do. */
async function write(
  client: KubeClient,
  type: ResourceType,
  step: Exclude<Step, { readonly type: 'wait' }>,
): Promise<boolean> {
  try {
    await (step.type === 'delete' ? remove(client, type, step.object) : patch(client, type, step))
    return true
  } catch (error) {
    if (error instanceof Conflict || error instanceof NotFound) return false
    throw error
  }
}

async function remove(client: KubeClient, type: ResourceType, object: KubeObject): Promise<void> {
  const { namespace = '', name, uid = '', resourceVersion = '' } = object.metadata
  await client.remove(type, { namespace, name }, { uid, resourceVersion })
}

async function patch(
  client: KubeClient,
  type: ResourceType,
  step: Step & { readonly type: 'write' },
): Promise<void> {
  const { namespace = '', name, resourceVersion } = step.object.metadata
  const metadata = { ...(step.patch['metadata'] as object), resourceVersion }
  const body = { ...step.patch, metadata }
  const options = { fieldManager: CLI_MANAGER }
  await client.mergePatch(type, { namespace, name }, body, options)
}

/** Waits until something happens to the object, some seconds at most. */
async function nextChange(
  client: KubeClient,
  type: ResourceType,
  object: KubeObject,
): Promise<void> {
  const { namespace = '', name, resourceVersion = '' } = object.metadata
  const signal = AbortSignal.timeout(5000)
  const fieldSelector = `metadata.name=${name}`
  const scope = { namespace, fieldSelector, resourceVersion, signal }
  try {
    for await (const event of client.watch(type, scope)) {
      if (event.type !== 'BOOKMARK') return
    }
  } catch (error) {
    if (!signal.aborted) throw error
  }
}

/** What is no workload of ours is owned by one. */
function typeOf(adapter: WorkloadAdapter, { kind }: KubeObject): ResourceType {
  return kind === REPLICA_SETS.kind ? REPLICA_SETS : resourceOf(adapter)
}
