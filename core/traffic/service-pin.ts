// A Service that is pinned selects the pods of one version alone. The labels for that are added to its
// selector: it is never emptied, and nothing that its owner selects by is lost. One that has the pods of both
// versions selects as its owner wrote: its wish only remembers by what requests come.

import type { Service } from '#api/kubernetes.ts'
import type { Routing, TrafficProvider, Whose } from './model.ts'
import { specField } from './spec-field.ts'
import { recordIn } from './wish.ts'

type Labels = Readonly<Record<string, string>>

/** The wish that only pods of the workload with these labels are selected. */
interface Pin extends Pick<Routing, 'routes'> {
  readonly workload: Whose
  readonly labels: Labels
}

/** The wish as text. */
export function pinTo(pin: Pin): string {
  return JSON.stringify(pin)
}

/** What the wish remembers on a Service that has the pods of both versions. */
export interface Shared {
  /** The version to whose pods routes may send requests; empty: none yet. */
  readonly routedTo: string
  /** Since when no route does that any more. */
  readonly unroutedSince?: string
}

/** That wish as text. */
export function sharedBy(shared: Shared & Omit<Pin, 'labels'>): string {
  return JSON.stringify(shared)
}

/** What such a wish remembers; undefined for any other. */
export function sharedIn(wish: string): Shared | undefined {
  const { routedTo, unroutedSince } = recordIn(wish)
  if (typeof routedTo !== 'string') return undefined
  return { routedTo, ...(typeof unroutedSince === 'string' && { unroutedSince }) }
}

/** The labels of a pin; none where it cannot be read. */
export function pinnedTo(wish: string): Labels {
  return onlyTexts(recordIn(wish)['labels'])
}

/** Services. */
export const services: TrafficProvider<Service> = {
  ...specField('selector', {
    undo({ owner, wish }) {
      if (!owner) return null
      const added = Object.keys(pinnedTo(wish)).map(key => [key, null])
      return { ...Object.fromEntries(added), ...(owner as Labels) }
    },
    undone: patch => (patch ? onlyTexts(patch) : undefined),
  }),
  apiVersion: 'v1',
  kind: 'Service',
  plural: 'services',
  // Without a selector its endpoints are somebody else's: there is nothing to add to.
  project: (owner, wish) => (owner ? { ...(owner as Labels), ...pinnedTo(wish) } : owner),
  ownerOf(incoming, { owner, wish }) {
    const pin = pinnedTo(wish)
    const own = onlyTexts(owner)
    const now = Object.entries(onlyTexts(incoming))
    const kept = now.flatMap(([key, value]) => {
      if (pin[key] !== value) return [[key, value]]
      return own[key] === undefined ? [] : [[key, own[key]]]
    })
    return incoming ? Object.fromEntries(kept) : incoming
  },
}

function onlyTexts(value: unknown): Labels {
  const members = Object.entries({ ...(value as object | undefined) })
  return Object.fromEntries(
    members.filter((member): member is [string, string] => typeof member[1] === 'string'),
  )
}
