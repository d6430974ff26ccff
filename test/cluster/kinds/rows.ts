// Stories of one workload as rows: what is done, and how its pods stand when nothing moves any more.

import { expect } from 'vitest'

import type { Scene } from './scene.ts'

/** What is done; `seen` is the line of the scene afterwards, and what the row's reader adds to it. */
export type Step = readonly [act: (scene: Scene) => Promise<unknown>, seen: string]

/** One story. */
export interface Row {
  readonly what: string
  /** Merged into the workload's spec. */
  readonly spec?: Readonly<Record<string, unknown>>
  readonly steps: readonly Step[]
  /** The fewest Ready pods, and the most pods, of any moment. */
  readonly fewest?: number
  readonly most?: number
}

/** Rows with their names in front, which else are cut short where they are told. */
export function named(rows: readonly Row[]): readonly (readonly [what: string, row: Row])[] {
  return rows.map(row => [row.what, row])
}

/** Plays a row and compares how things stood after each step, told by `seen`. */
export async function play(scene: Scene, row: Row, seen: () => string): Promise<void> {
  const all: string[] = []
  for (const [act] of row.steps) {
    await act(scene)
    await scene.rest()
    all.push(seen())
  }
  scene.close()
  expect(all).toEqual(row.steps.map(([, expected]) => expected))
  if (row.fewest !== undefined) expect(scene.fewest()).toBe(row.fewest)
  if (row.most !== undefined) expect(scene.most()).toBe(row.most)
}

/** How many pods a DaemonSet calls updated; `-`: it says nothing, as the real one does of 0. */
export function updated(scene: Scene): string {
  const { updatedNumberScheduled } = scene.status() as { updatedNumberScheduled?: number }
  return String(updatedNumberScheduled ?? '-')
}

/** Sets the image: `app:2`; one with `broken` in it never gets Ready. */
export function edit(image: string) {
  return (scene: Scene) => scene.edit(image)
}

/** Scales by the subresource. */
export function scale(replicas: number) {
  return (scene: Scene) => scene.scale(replicas)
}

/** Deletes the pods at these places of the line. */
export function kill(...places: readonly number[]) {
  return (scene: Scene) => scene.kill(...places.map(place => scene.pods()[place]!.metadata.name))
}

/** Merges into the spec. */
export function set(spec: object) {
  return (scene: Scene) => scene.patch(spec)
}

/** The update strategy by which only deleted pods come new; beside `rollingUpdate` it is refused. */
export const onDelete = { updateStrategy: { type: 'OnDelete', rollingUpdate: null } }

/** A patch of the pod template to an image. */
export function templateOf(image: string) {
  return { spec: { containers: [{ name: 'app', image }] } }
}

/** The update strategy of StatefulSets and DaemonSets. */
export function rolling(rollingUpdate: object) {
  return { updateStrategy: { type: 'RollingUpdate', rollingUpdate } }
}

/** Sets the partition of StatefulSets and DaemonSets. */
export function partition(value: number | string) {
  return set(rolling({ partition: value }))
}
