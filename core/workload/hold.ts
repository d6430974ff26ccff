// The hold: how far a release may go, in one annotation of the workload. The controller writes it,
// admission computes the workload's fields from it. Flat `key=value;` pairs, so that CEL can read it.

import { HOLD } from '#api/names.ts'
import type { IntOrPercent, KubeObject } from '#api/kubernetes.ts'
import { defined } from '../defined.ts'
import { styles } from '../rollout/style.ts'
import type { Style } from '../rollout/style.ts'

/**
 * `wave`: as many pods as budget and surge say may be new. `back`: the same on the way back from an
 * abort, which an owner's pause does not stop. `stop`: none may start or leave.
 * `aborted`: like stop, and everybody is stable again. `finishing`: the owner's values apply, and what
 * is remembered stays until everybody is new, so that the old template still is a rollback.
 * `released`: the hold is over; it says so in a word, since an absence could be an accident.
 */
export type HoldMode = 'wave' | 'back' | 'stop' | 'aborted' | 'finishing' | 'released'

const modes: readonly HoldMode[] = ['wave', 'back', 'stop', 'aborted', 'finishing', 'released']

/** How far a release may go. */
export interface Hold {
  readonly mode: HoldMode
  /** How the release goes, for as long as it lasts; absent: partition. */
  readonly style?: Style
  /** What the step wants, in the step's own words: what a scaling is measured by. */
  readonly pods: IntOrPercent
  /** New pods that may take the place of old ones. */
  readonly budget: IntOrPercent
  /** New pods that may run beside all the others. */
  readonly surge: IntOrPercent
  /** The value that admission has set in the field of that name, where the kind has one. */
  readonly partition?: IntOrPercent
  /** For how many pods that value was set, or the controller has asked for it. */
  readonly size?: number
  /** The value that admission has set in the field of that name, where the kind has one. */
  readonly paused?: boolean
  readonly rolloutId: string
  /** Raised by every writer: admission refuses a hold that was made from an older one. */
  readonly seq: number
  /** Digest of the abort annotation that this release was not meant by. */
  readonly abortSeen?: string
  /** Versions that edits during this hold have replaced; pods of them may still stand. */
  readonly between?: readonly string[]
}

/** While paused the budget means nothing, but the API server refuses one of 0 beside a surge of 0. */
export const still = { budget: '1%', surge: '0%' } as const

/** The annotation's value. */
export function formatHold(hold: Hold): string {
  const pairs: [string, string | number][] = [
    ['mode', hold.mode],
    ['pods', hold.pods],
    ['budget', hold.budget],
    ['surge', hold.surge],
    ['rollout-id', hold.rolloutId],
    ['seq', hold.seq],
  ]
  if (said(hold.style)) pairs.push(['style', hold.style])
  if (hold.partition !== undefined) pairs.push(['partition', hold.partition])
  if (hold.size !== undefined) pairs.push(['size', hold.size])
  if (hold.paused !== undefined) pairs.push(['paused', String(hold.paused)])
  if (hold.abortSeen !== undefined) pairs.push(['abort-seen', hold.abortSeen])
  if (hold.between !== undefined) pairs.push(['between', hold.between.join(',')])
  return pairs.map(([key, value]) => `${key}=${value};`).join('')
}

/** The hold of an annotation's value; undefined where it says nothing that can be used. */
export function parseHold(text: string): Hold | undefined {
  const pairs = parsePairs(text)
  const seq = Number(pairs.get('seq') ?? Number.NaN)
  const read = {
    mode: modes.find(mode => mode === pairs.get('mode')),
    pods: intOrPercent(pairs.get('pods')),
    budget: intOrPercent(pairs.get('budget')),
    surge: intOrPercent(pairs.get('surge')),
    rolloutId: pairs.get('rollout-id'),
    seq: Number.isSafeInteger(seq) ? seq : undefined,
  }
  const complete = Object.values(read).every(value => value !== undefined)
  if (!complete) return undefined
  const noted = {
    style: styles.filter(said).find(style => style === pairs.get('style')),
    partition: intOrPercent(pairs.get('partition')),
    size: pairs.has('size') ? Number(pairs.get('size')) : undefined,
    paused: pairs.has('paused') ? pairs.get('paused') === 'true' : undefined,
    abortSeen: pairs.get('abort-seen'),
    between: pairs.get('between')?.split(','),
  }
  return { ...(read as Hold), ...defined(noted) }
}

/** Its fields stand on the workload; else the owner's values do. */
export function isInForce({ mode }: Pick<Hold, 'mode'>): boolean {
  return mode !== 'finishing' && mode !== 'released'
}

/** The hold that the workload carries. */
export function holdOf(object: KubeObject): Hold | undefined {
  const text = object.metadata.annotations?.[HOLD]
  return text === undefined ? undefined : parseHold(text)
}

/** Reads `key=value;` pairs; what is not a pair is passed over. */
export function parsePairs(text: string): ReadonlyMap<string, string> {
  return new Map(
    text
      .split(';')
      .map(pair => pair.split('='))
      .filter((pair): pair is [string, string] => pair.length === 2),
  )
}

/** Only what is said: holds that say nothing came before there was more than one style. */
function said(style: Style | undefined): style is Style {
  return style !== undefined && style !== 'partition'
}

function intOrPercent(text: string | undefined): IntOrPercent | undefined {
  if (text === undefined || !/^(?:\d{1,9}%|\d{1,10})$/.test(text)) return undefined
  return text.endsWith('%') ? text : Number(text)
}
