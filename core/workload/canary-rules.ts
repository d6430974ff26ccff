// How a release goes whose new pods run in a second Deployment. Each list is an order: the first rule with
// something to do, or to wait for, acts. What is held stays as it is, and is brought back to that where a
// roll was broken off, or a scaling from nobody has brought up another version.

import { deleteDeploymentsCommand } from '../commands.ts'
import { firstMove } from '../move.ts'
import type { Move, Rule } from '../move.ts'
import { podCount } from '../replicas.ts'
import type { Instant } from '../time.ts'
import { noneBeside, without } from './beside.ts'
import { canaryOf } from './canary-made.ts'
import { canaryName } from './canary-name.ts'
import type { CanaryWorkload } from './canary-view.ts'
import { change, holdChange } from './changes.ts'
import { lastOneLeft } from './deployment-abort.ts'
import { mended, noStable, overtaken, seenByManager } from './deployment-rules.ts'
import { nextReadyAt } from './deployment-view.ts'
import type { DeploymentWorkload } from './deployment-view.ts'
import { still } from './hold.ts'
import type { Hold } from './hold.ts'
import type { PodMetadata } from './model.ts'
import { surgeFor } from './percent.ts'
import { sentAgain, someRun } from './rules.ts'

/** A target on which the rules agree. */
interface Target {
  /** New pods that the step wants. */
  readonly n: number
  readonly metadata?: PodMetadata
  readonly now: Instant
}

/** What a step wants, in its own words. */
export interface Wish {
  readonly pods: Hold['pods']
  readonly podMetadata?: PodMetadata
}

type Rules = readonly Rule<CanaryWorkload, Target>[]

const forward: Rules = [emptied, someRun, sentAgain, home, going, othersGone, made, grown, ready]
const standing: Rules = [emptied, sentAgain]
const keeping: Rules = [...standing, home]
const backward: Rules = [sentAgain, noneBeside, wayBack, home, aborted]
const homeward: readonly Rule<DeploymentWorkload, Target>[] = [
  mended,
  overtaken,
  seenByManager,
  turned,
  lastOneLeft,
]

/** At least as many new pods as the step wants run in the second Deployment, and are Ready. */
export function advance(w: CanaryWorkload, wish: Wish, now: Instant): Move | undefined {
  const { pods, podMetadata } = wish
  const { stable, total } = w.own
  // Forgotten while nobody ran, the stable version makes no pod any more.
  const alone = stable === undefined && total === 0
  const n = alone ? w.replicas : podCount(pods, w.replicas)
  return firstMove(forward, w, { n, now, ...(podMetadata && { metadata: podMetadata }) })
}

/** What was let out stays, by itself; what stands still from the edit on stays as that found it. */
export function keep(w: CanaryWorkload, now: Instant): Move | undefined {
  const still = w.hold?.mode === 'stop'
  return firstMove(still ? standing : keeping, w, { n: 0, now })
}

/** The pods are the stable ones again; the template is left as it is. */
export function abort(w: CanaryWorkload, now: Instant): Move | undefined {
  return firstMove(backward, w, { n: 0, now })
}

/** Its owner wants no pod at all. */
function emptied({ replicas, canary }: CanaryWorkload): Move | undefined {
  if (replicas > 0 || !canary || canary.replicas === 0) return undefined
  return { changes: [change(canary, { spec: { replicas: 0 } })], why: 'no pod is to run' }
}

/** Its own pods are all stable. */
function home({ own }: CanaryWorkload, target: Target): Move | undefined {
  const { active, stable, replicas } = own
  // Where nobody knows the stable version any more, what runs goes on.
  if (!stable || replicas === 0 || active.every(set => set === stable)) return undefined
  const move = firstMove(homeward, own, target)
  const why = `${stable.replicas} of ${replicas} pods are back on the stable revision`
  return move && { ...move, why: move.changes.length > 0 ? why : `${why}: ${move.why}` }
}

/** Nothing can be done for those that have no version to go back to. */
function wayBack({ own }: CanaryWorkload): Move | undefined {
  return own.stable ? undefined : { changes: [], why: noStable }
}

/** It stands still, with the pods that there are; where nobody may be missing, with room for one more. */
function turned(own: DeploymentWorkload): Move | undefined {
  const { hold, total, replicas, promised } = own
  if (hold!.mode === 'back') return undefined
  const room = Math.max(total - replicas, promised.maxUnavailable > 0 ? 0 : 1)
  const surge = surgeFor(room, replicas, '100%')
  const back: Hold = { ...hold!, ...still, mode: 'back', pods: 0, surge }
  return { changes: [holdChange(own, back)], why: 'going back' }
}

function going(w: CanaryWorkload): Move | undefined {
  if (w.hold?.mode === 'wave') return undefined
  return { changes: [holdChange(w, { ...w.hold!, mode: 'wave' })], why: 'letting new pods start' }
}

/**
 * The template changed again in the middle: nobody wants those pods any more. They go before the next ones
 * come; what is deleted with its pods goes at once, and leaves them to the garbage collector.
 */
function othersGone({ others }: CanaryWorkload): Move | undefined {
  const filled = others.filter(({ replicas }) => replicas > 0)
  const names = others.map(({ ref }) => ref.name).join(', ')
  const why = `taking back the pods of the canary Deployment ${names}`
  if (filled.length > 0) {
    return { changes: filled.map(each => change(each, { spec: { replicas: 0 } })), why }
  }
  const empty = others.every(({ total, seen }) => total === 0 && seen.status.replicas === 0)
  return empty ? without(others) : { changes: [], why }
}

function made(w: CanaryWorkload, { n, metadata }: Target): Move | undefined {
  if (w.canary) return undefined
  if (w.nameTaken) return { changes: [], why: takenInWords(w) }
  const object = canaryOf(w, n, metadata)
  return { changes: [{ type: 'create', object }], why: `creating ${named(object.metadata.name)}` }
}

function takenInWords({ ref, hold }: CanaryWorkload): string {
  const { namespace } = ref
  const name = canaryName(ref.name, hold!.rolloutId)
  const command = deleteDeploymentsCommand([{ namespace, name }])
  return `no new pods can be made: ${named(name)} is there already, and is not of this release; if nobody needs it: ${command}`
}

/** Jumping back and scaling down take none away that was let out. */
function grown({ canary }: CanaryWorkload, { n }: Target): Move | undefined {
  if (!canary || canary.replicas >= n) return undefined
  const why = `scaling ${named(canary.ref.name)} to ${n} pods`
  return { changes: [change(canary, { spec: { replicas: n } })], why }
}

function ready({ canary, updatedReady }: CanaryWorkload, { n, now }: Target): Move | undefined {
  if (!canary || updatedReady >= n) return undefined
  const why = `${updatedReady} of ${n} new pods are ready in ${named(canary.ref.name)}`
  const due = nextReadyAt(canary.update, canary.seen.owner.minReadySeconds, now)
  return { changes: [], why, surplusStays: true, ...(due !== undefined && { requeueAt: due }) }
}

function aborted(w: CanaryWorkload): Move | undefined {
  if (w.hold?.mode === 'aborted') return undefined
  return { changes: [holdChange(w, { ...w.hold!, mode: 'aborted' })], why: 'ending the release' }
}

function named(name: string): string {
  return `Deployment ${name}`
}
