// What may become of a watch, at each write of a release: its frames come late or never, it breaks, or it
// brings what nobody sent; and of what comes after it, a watch or a list that is refused.

import { isSettled } from './history-facts.ts'
import type { Exchange, Fault } from './fault-proxy.ts'
import type { Disturbance, Run } from './release-run.ts'

/** Kinds whose watches fail. */
export const watchedKinds = ['deployments', 'replicasets', 'pods', 'rollouts'] as const

/** How the watches of one kind fail. */
export interface WatchFault {
  /** Done to each open watch of the kind when a write of ours arrives, before it takes effect. */
  readonly harm: (watch: Exchange) => void
  /**
   * Done to the watches that were harmed, when nobody else has anything left to do. Until then no other
   * one is harmed.
   */
  readonly heal?: (watch: Exchange) => void
  /** What the next requests of the kind are answered after a harm. */
  readonly next?: readonly { readonly verb: 'list' | 'watch'; readonly fault: Fault }[]
  /** At how many writes at most; at each one unless given. */
  readonly most?: number
}

const gone = '{"type":"ERROR","object":{"kind":"Status","code":410,"reason":"Expired"}}\n'
const expired: Fault = {
  type: 'answer',
  status: 410,
  body: { kind: 'Status', code: 410, reason: 'Expired' },
}
const half = '{"type":"ADDED","object":{"metadata":'
const bookmark = (line: string) => line.includes('"type":"BOOKMARK"')

/** Frames are held back, and come all together. */
export const lateFrames: WatchFault = {
  harm: watch => watch.freeze(),
  heal: watch => watch.thaw(),
}

/** Frames are lost, and nobody notices until the server forgets where the watch began. */
export const lostFrames: WatchFault = {
  harm: watch => watch.sift(bookmark),
  heal(watch) {
    watch.sift(() => true)
    watch.send(gone)
  },
}

/** Ways in which a watch breaks, by name. */
export const brokenWatches: Readonly<Record<string, WatchFault>> = {
  'is reset': { harm: watch => watch.reset() },
  'is ended by the server': { harm: watch => watch.end() },
  'says 410': { harm: watch => watch.send(gone) },
  'is answered 410': {
    harm: watch => watch.reset(),
    next: [{ verb: 'watch', fault: expired }],
    most: 5,
  },
  'brings garbage': { harm: watch => watch.send('garbage\n') },
  'breaks inside a frame': {
    harm(watch) {
      watch.send(half)
      watch.reset()
    },
  },
  'brings 4 MiB in one line': { harm: watch => watch.send(' '.repeat(4 * 1024 * 1024)) },
}

/** The next watch, or the list after a 410, is refused twice. */
export function refusedAfter(verb: 'list' | 'watch', refusal: Fault): WatchFault {
  return {
    harm: watch => (verb === 'list' ? watch.send(gone) : watch.reset()),
    next: [
      { verb, fault: refusal },
      { verb, fault: refusal },
    ],
    most: 2,
  }
}

/** The watches of the kind fail like this at the writes of a release. */
export function watchesFail(kind: string, how: WatchFault): (run: Run) => Disturbance {
  return run => {
    let times = 0
    let harmed: readonly Exchange[] = []
    let script: NonNullable<WatchFault['next']> = []
    const harm = () => {
      const watches = run.proxy.open().filter(({ request }) => isWatchOf(kind, request))
      if (watches.length === 0) return
      times += 1
      for (const watch of watches) how.harm(watch)
      script = how.next ?? []
      if (!how.heal) return
      harmed = watches
      void othersAreDone(run).then(() => {
        for (const watch of harmed) how.heal!(watch)
        harmed = []
      })
    }
    return {
      times: () => times,
      fault(request) {
        const [first, ...rest] = script
        if (first?.verb === request.verb && request.resource === kind) {
          script = rest
          return first.fault
        }
        const free = harmed.length === 0 && script.length === 0 && times < (how.most ?? Infinity)
        if (free && run.writeOf(request) !== undefined) harm()
        return undefined
      },
    }
  }
}

function isWatchOf(kind: string, { verb, resource }: Exchange['request']): boolean {
  return verb === 'watch' && resource === kind
}

/** Something has changed since now, and everybody else has done what was to be done about it. */
async function othersAreDone({ scene: { chronicle } }: Run): Promise<void> {
  const since = chronicle.now().version
  await chronicle.comes(state => state.version > since && isSettled(state), 60_000)
}
