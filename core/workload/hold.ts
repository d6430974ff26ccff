// The hold: how far a release may go. The controller writes it, admission computes the workload's fields
// from it. An annotation says how it began, in flat `key=value;` pairs, so that CEL can read it. A label
// says how far it has come since: the controller-manager copies a Deployment's annotations to its
// ReplicaSet, a write that every wave would wait for, and leaves labels alone.

import { HOLD, WAVE } from '#api/names.ts'
import type { IntOrPercent, KubeObject } from '#api/kubernetes.ts'
import { defined } from '../defined.ts'
import { styles } from '../style.ts'
import type { Style } from '../style.ts'

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
  /** The stable template has returned and goes out by the steps: pods that ran it when that began. */
  readonly ran?: number
  /** Versions that edits during this hold have replaced; pods of them may still stand. `*`: of any. */
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
  if (hold.ran !== undefined) pairs.push(['ran', hold.ran])
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
    ran: pairs.has('ran') ? Number(pairs.get('ran')) : undefined,
    between: pairs.get('between')?.split(','),
  }
  return { ...(read as Hold), ...defined(noted) }
}

/** A release goes on, or ends just now: the hold is there, and not over. */
export function isOn(hold: Hold | undefined): hold is Hold {
  return hold !== undefined && hold.mode !== 'released'
}

/** Its fields stand on the workload; else the owner's values do. */
export function isInForce({ mode }: Pick<Hold, 'mode'>): boolean {
  return mode !== 'finishing' && mode !== 'released'
}

/** The hold that the workload carries. */
export function holdOf(object: KubeObject): Hold | undefined {
  const begun = begunOf(object)
  return begun && (laterThan(begun, object.metadata.labels?.[WAVE]) ?? begun)
}

/** The hold as its annotation has it, whatever came since. */
export function begunOf({ metadata }: KubeObject): Hold | undefined {
  const text = metadata.annotations?.[HOLD]
  return text === undefined ? undefined : parseHold(text)
}

/** What the API server takes. */
const longestLabel = 63

/**
 * The label that makes `next` of a hold that began so. Undefined where it is that hold, or needs an
 * annotation of its own: what lasts as long as the release changes, or a label has no room for it.
 */
export function waveAfter(begun: Hold, next: Hold): string | undefined {
  const { mode, seq, pods, budget, surge, partition, size, paused } = next
  const rest = defined({
    partition: partition === undefined ? undefined : `part${partition}`,
    size: size === undefined ? undefined : `size${size}`,
    paused: paused === undefined ? undefined : paused ? 'paused' : 'running',
  })
  const words = [mode, releaseOf(next), seq, pods, budget, surge, ...Object.values(rest)]
  const text = words.join('.').replaceAll('%', 'p')
  const read = laterThan(begun, text)
  const [was, is, said] = [begun, next, read ?? begun].map(formatHold)
  return is !== was && is === said && text.length <= longestLabel ? text : undefined
}

/** What the label makes of the hold that began so; undefined where it is not of its release, or older. */
function laterThan(begun: Hold, label = ''): Hold | undefined {
  const { rolloutId, style, abortSeen, ran, between } = begun
  if (label.split('.')[1] !== releaseOf(begun)) return undefined
  const read = parseHold(`${wavePairs(label)}rollout-id=${rolloutId};`)
  return read && read.seq >= begun.seq
    ? { ...read, ...defined({ style, abortSeen, ran, between }) }
    : undefined
}

/** The label's words as pairs of a hold. */
export function wavePairs(label: string): string {
  const [mode, , seq, pods, budget, surge, ...rest] = label
    .replaceAll(/(?<=\d)p(?=\.|$)/g, '%')
    .split('.')
  const named = Object.entries({ mode, seq, pods, budget, surge })
  const pairs = named.map(([key, word = '']) => `${key}=${word};`)
  return [...pairs, ...rest.map(pairOf)].join('')
}

function pairOf(word: string): string {
  if (word === 'paused' || word === 'running') return `paused=${word === 'paused'};`
  return word.replace(/^part(\d+%?)$/, 'partition=$1;').replace(/^size(\d+)$/, 'size=$1;')
}

/** The number of the edit that began the release: no two of a workload have the same. */
function releaseOf({ rolloutId }: Hold): string {
  return rolloutId.slice(rolloutId.lastIndexOf('-') + 1)
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
