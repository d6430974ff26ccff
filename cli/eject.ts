// `sluice eject`: gives workloads back and proves it. Works with the API server and the
// controller-manager alone; every write is refused where somebody else was quicker, and then it is
// looked again.

import type { KubeObject } from '#api/kubernetes.ts'
import type { Rollout } from '#api/rollout.generated.ts'
import { targetOf } from '#core/commands.ts'
import { defined } from '#core/defined.ts'
import { keyOf, refOf } from '#core/ref.ts'
import type { Routing } from '#core/traffic/model.ts'
import type { WorkloadAdapter } from '#core/workload/adapter.ts'
import type { OwnerValues } from '#core/workload/record.ts'
import type { KubeClient } from '#kube/client.ts'
import { abreast } from '#process/abreast.ts'
import { NotFound } from '#kube/errors.ts'
import { difference, isGoingBack, nextStep, ownerOf, traces } from './ejection.ts'
import type { Aim, Stand } from './ejection.ts'
import { fieldOwners } from './field-owners.ts'
import { freeAll, guardsAmong, lostAmong, routingsAmong, routingsOf } from './lost.ts'
import type { Lost } from './lost.ts'
import { readLeft } from './requests.ts'
import type { Left } from './requests.ts'
import { named, readRollouts, readStand, readStands, rolloutFor } from './stands.ts'
import { Progress, take } from './steps.ts'
import type { Saying } from './surroundings.ts'
import {
  abortedRefusal,
  isAborted,
  lostRefusal,
  namedRefusal,
  nameOf,
  routedRefusal,
  story,
  unreadRefusal,
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
  /** We have no right to see by what requests come: in this installation nobody moves them. */
  readonly unrouted?: true
}

/** One workload of a namespace. */
export interface NamedWorkload {
  readonly adapter: WorkloadAdapter
  readonly name: string
}

/** Gives back what was asked for, one line each; false where one was not. Throws when it cannot read. */
export async function eject(
  client: KubeClient,
  ejection: Ejection,
  saying: Saying,
): Promise<boolean> {
  const { namespace, dryRun, keepRollouts } = ejection
  const { stands, moved, lost, unread } = await readAll(client, ejection)
  for (const line of unread) saying.complain(line)
  const rollouts = await readRollouts(client, namespace)
  const traced = stands.filter(stand => stand.unread !== undefined || traces(stand).length > 0)
  if (traced.length + moved.length + lost.length + unread.length === 0)
    saying.print(nothingFound(ejection))
  // Before anybody leaves to whom they send requests.
  const guards = keepRollouts ? undefined : guardsAmong(stands, rollouts)
  const away = await freeAll(client, moved, { ...saying, dryRun, guards })
  if (traced.length > 1) saying.print(`giving back ${traced.length} workloads${aside(ejection)}`)
  const outcomes = abreast(traced, async (stand): Promise<Outcome | undefined> => {
    if (saying.stop?.aborted) return undefined
    const decide = (now: Stand) =>
      judge(now, rolloutFor(now.workload, rollouts), { ...ejection, away })
    return dryRun ? decide(stand) : carriedOut(client, stand, decide)
  })
  let [given, later] = [0, 0]
  for (const [index, { workload: each }] of traced.entries()) {
    const outcome = await outcomes[index]
    if (!outcome) later += 1
    else if (told(each, outcome, ejection, saying)) given += 1
  }
  if (later > 0) saying.complain(`ended before ${later} of ${traced.length} workloads`)
  const kept = await freeAll(client, lost, { ...saying, dryRun })
  return away.size + kept.size + unread.length === 0 && given === traced.length
}

interface Found {
  readonly stands: readonly Stand[]
  /** Those of TrafficRoutings. */
  readonly moved: readonly Lost[]
  readonly lost: readonly Lost[]
  /** Why more of both may be there. */
  readonly unread: readonly string[]
}

const none: Left = { routings: new Map(), unread: [] }

async function readAll(client: KubeClient, ejection: Ejection): Promise<Found> {
  const { namespace, workload, adapters, unrouted } = ejection
  // Before the workloads: whose Service is pinned was there then, or is gone.
  const { routings: left, unread } = unrouted ? none : await readLeft(client, namespace)
  if (workload !== undefined) {
    const one = await readNamed(client, { ...workload, namespace: namespace! }, left)
    const begun = routingsOf(one)
    const moved = routingsAmong(left).filter(({ ref }) => begun.includes(keyOf(ref)))
    return { stands: [one], moved, lost: [], unread }
  }
  const stands = await readStands(client, ejection, left)
  const lost = lostAmong(left, stands, adapters)
  return { stands, moved: routingsAmong(left), lost, unread }
}

function readNamed(
  client: KubeClient,
  { adapter, namespace, name }: NamedWorkload & { readonly namespace: string },
  left: ReadonlyMap<string, Routing>,
): Promise<Stand> {
  const ref = { apiVersion: adapter.apiVersion, kind: adapter.kind, namespace, name }
  const routing = left.get(keyOf(ref))
  return named(ref, readStand(client, adapter, defined({ namespace, name, routing })))
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

interface Judging extends Pick<Ejection, 'keepRollouts' | 'withAborted'> {
  /** Keys of the TrafficRoutings whose routes are not given back. */
  readonly away: ReadonlySet<string>
}

function judge(
  stand: Stand,
  rollout: Rollout | undefined,
  { keepRollouts, withAborted, away }: Judging,
): Verdict {
  if (rollout && rollout.spec.disabled !== true && !keepRollouts)
    return { refusal: namedRefusal(stand, rollout) }
  if (stand.unread !== undefined) return { refusal: unreadRefusal(stand.unread) }
  const routing = routingsOf(stand).find(key => away.has(key))
  if (routing !== undefined) return { refusal: routedRefusal(refOf(routing).name) }
  const owner = ownerOf(stand)
  if (!owner) return { refusal: lostRefusal(stand) }
  if (isAborted(stand) && !withAborted) return { refusal: abortedRefusal(stand) }
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
  const at = { namespace, name }
  const progress = new Progress()
  let stand: Stand | undefined = first
  let decided = first
  while (stand && stand.workload.metadata.uid === uid) {
    const verdict = decide(decided)
    if (!verdict.owner) return verdict
    if (stand.unread !== undefined) return { refusal: unreadRefusal(stand.unread) }
    const step = nextStep(stand, aimOf(verdict.owner, decided, first))
    if (!step) return proven(stand, verdict)
    const now = stand
    progress.check(step, () => traces(now))
    if ((await take(client, first.adapter, step)) === 'done') progress.note(step)
    stand = await readStand(client, first.adapter, { ...at, ...routingOf(stand) }).catch(unlessGone)
    // Its owner may want something else by now: until it was given to him, that counts.
    if (stand && progress.writes(first.workload) === 0) decided = stand
  }
  return { line: 'it was deleted meanwhile' }
}

function aimOf(owner: OwnerValues, decided: Stand, { requests }: Stand): Aim {
  return defined({
    owner,
    fieldOwners: fieldOwners(decided.workload),
    goesBack: isGoingBack(decided),
    requests,
    now: Date.now(),
  })
}

/** Once it is given back its record says no more by what requests come. */
function routingOf({ requests }: Stand): { readonly routing?: Routing } {
  return requests ? { routing: requests.traffic.routing } : {}
}

function proven(stand: Stand, { owner, line }: Decided): Outcome {
  const refusal = difference(stand, owner)
  return refusal === undefined ? { line } : { refusal }
}

function unlessGone(error: unknown): undefined {
  if (error instanceof NotFound) return undefined
  throw error
}
