// What people, clients and machines do to the workload and its Rollout.

import type { PodTemplate } from '#api/kubernetes.ts'
import { ABORT, HOLD, RECORD, ROLLBACK_IN_BATCH } from '#api/names.ts'
import type { CanaryStatus, Rollout, RolloutSpec } from '#api/rollout.generated.ts'
import type { MergePatch } from '#core/change.ts'
import { releaseIn, toldIn } from '#core/rollout/release-status.ts'
import { deleteWorkload as removeWorkload, remove, store } from './api-server.ts'
import { writeRollout, writeWorkload } from './api-server.ts'
import { catchUp, merge } from './controller.ts'
import { deploymentKind } from './deployment-kind.ts'
import {
  NAMESPACE,
  ROLLOUT,
  Refused,
  WORKLOAD,
  rolloutIn,
  setsIn,
  versionOf,
  workloadIn,
} from './world.ts'
import type { Workload, World, WorldKind } from './world.ts'

/** Something that happens. */
export type Happening = (world: World) => void

/** What a Rollout asks for beside its steps. */
export type Canary = Omit<NonNullable<RolloutSpec['strategy']['canary']>, 'steps'>

/** By which of its strategies a Rollout releases. */
export type Strategy = 'canary' | 'blueGreen'

/** The steps of a plan. */
export type Steps = NonNullable<NonNullable<RolloutSpec['strategy']['canary']>['steps']>

/** The manifest of the workload in the file of its owner. */
export function manifest(
  version: string,
  spec: object = {},
  { adapter }: WorldKind = deploymentKind,
): Workload {
  const { apiVersion, kind } = adapter
  return {
    apiVersion,
    kind,
    metadata: { namespace: NAMESPACE, name: WORKLOAD, labels: { app: WORKLOAD } },
    spec: {
      selector: { matchLabels: { app: WORKLOAD } },
      template: template(version),
      ...spec,
    } as Workload['spec'],
  }
}

function template(version: string): PodTemplate {
  const containers = [{ name: 'app', image: `app:${version}` }]
  return { metadata: { labels: { app: WORKLOAD } }, spec: { containers } }
}

/** The workload is created, or its whole manifest put in place of what is there. */
export const replace =
  (object: Workload): Happening =>
  world => {
    writeWorkload(world, object)
  }

/** A patch of the workload's spec, as kubectl edit or set image send it. */
export const patch =
  (spec: object): Happening =>
  world => {
    const object = existing(workloadIn(world))
    writeWorkload(world, { ...object, spec: { ...object.spec, ...spec } })
  }

/** The image changes. */
export const edit = (version: string): Happening => patch({ template: template(version) })

/** kubectl rollout undo: the template of a version, and the annotations that its ReplicaSet keeps. */
export const undo =
  (version: string): Happening =>
  world => {
    const object = existing(workloadIn(world))
    const set = setsIn(world).find(each => versionOf(each) === version)
    if (!set) throw new Refused(`no revision ${version}`)
    const kept = Object.entries(object.metadata.annotations ?? {}).filter(([key]) => isKept(key))
    const old = Object.entries(set.metadata.annotations ?? {}).filter(([key]) => !isKept(key))
    const annotations = Object.fromEntries([...kept, ...old])
    const spec = { ...object.spec, template: template(version) }
    writeWorkload(world, { ...object, metadata: { ...object.metadata, annotations }, spec })
  }

/** The one command: the record is the patch. */
export const escape: Happening = world => {
  const object = existing(workloadIn(world))
  const record = object.metadata.annotations?.[RECORD]
  if (record === undefined) throw new Refused('no record')
  writeWorkload(world, merge(object, JSON.parse(record) as MergePatch) as Workload)
}

function isKept(key: string): boolean {
  return key.startsWith('deployment.kubernetes.io/')
}

/** Kruise Rollouts comes, or goes. */
export const kruise =
  (runs: boolean): Happening =>
  world => {
    world.kruiseRuns = runs
  }

/** The annotations of the workload change. */
export const annotate =
  (annotations: Readonly<Record<string, string>>): Happening =>
  world => {
    const object = existing(workloadIn(world))
    const all = { ...object.metadata.annotations, ...annotations }
    writeWorkload(world, { ...object, metadata: { ...object.metadata, annotations: all } })
  }

/** kubectl scale, or an autoscaler; or nodes that come and go. */
export const scale =
  (replicas: number): Happening =>
  world => {
    world.kind.resize(world, replicas)
  }

const setPaused =
  (paused: boolean): Happening =>
  world => {
    const said = world.kind.paused?.(existing(workloadIn(world)), paused)
    if (!said) throw new Refused('its kind knows no pause')
    patch(said)(world)
  }

/** kubectl rollout pause. */
export const pauseWorkload: Happening = setPaused(true)

/** kubectl rollout resume. */
export const resumeWorkload: Happening = setPaused(false)

/** The workload is deleted, and with it what it owns. */
export const deleteWorkload: Happening = world => removeWorkload(world, WORKLOAD)

/** A Rollout is created, or its plan changed. */
export const plan =
  (steps: Steps, canary: Canary = {}, style: Strategy = 'canary'): Happening =>
  world => {
    const object = rolloutIn(world)
    const said = { [style]: { ...canary, steps } }
    if (object) {
      const strategy = { ...object.spec.strategy, ...said }
      writeRollout(world, { ...object, spec: { ...object.spec, strategy } })
      return
    }
    const { apiVersion, kind } = world.kind.adapter
    const workloadRef = { apiVersion, kind, name: WORKLOAD }
    writeRollout(world, {
      apiVersion: 'rollouts.kruise.io/v1beta1',
      kind: 'Rollout',
      metadata: { namespace: NAMESPACE, name: ROLLOUT },
      spec: { workloadRef, strategy: said },
    })
  }

/** Other fields of the Rollout's spec. */
const setSpec =
  (change: (spec: RolloutSpec) => RolloutSpec): Happening =>
  world => {
    const object = existing(rolloutIn(world))
    writeRollout(world, { ...object, spec: change(object.spec) })
  }

/** The same steps in another style. */
export const restyle = (style: Strategy): Happening =>
  setSpec(({ strategy, ...spec }) => {
    const { canary, blueGreen, ...brakes } = strategy
    return { ...spec, strategy: { ...brakes, [style]: canary ?? blueGreen } }
  })

/** spec.strategy.paused. */
export const freeze = (paused: boolean): Happening =>
  setSpec(spec => ({ ...spec, strategy: { ...spec.strategy, paused } }))

/** spec.disabled. */
export const disable = (disabled: boolean): Happening => setSpec(spec => ({ ...spec, disabled }))

/** The Rollout is deleted. */
export const deleteRollout: Happening = world => remove(world, 'rollouts', ROLLOUT)

const setRelease =
  (change: Partial<CanaryStatus>): Happening =>
  world => {
    const object = existing(rolloutIn(world))
    const release = releaseIn(object.status)
    if (!release) throw new Refused('the Rollout has no status yet')
    // Where the message tells them to write it.
    const style = object.status?.blueGreenStatus ? 'blueGreen' : 'partition'
    const told = toldIn(style, { ...release, ...change })
    store<Rollout>(world, 'rollouts', { ...object, status: { ...object.status!, ...told } }, false)
  }

/** The step's pause is over. */
export const approve: Happening = setRelease({ currentStepState: 'StepReady' })

/** Another step comes next. */
export const jump = (step: number): Happening => setRelease({ nextStepIndex: step })

/** The abort annotation is written. */
export const abort =
  (value = 'true'): Happening =>
  world => {
    const object = existing(rolloutIn(world))
    const annotations = { ...object.metadata.annotations, [ABORT]: value }
    writeRollout(world, { ...object, metadata: { ...object.metadata, annotations } })
  }

/** The abort annotation is taken away. */
export const unabort: Happening = world => {
  const object = existing(rolloutIn(world))
  const { [ABORT]: _, ...annotations } = { ...object.metadata.annotations }
  writeRollout(world, { ...object, metadata: { ...object.metadata, annotations } })
}

/** A rollback is to go by the steps, or at once. */
export const backInSteps =
  (steps: boolean): Happening =>
  world => {
    const object = existing(rolloutIn(world))
    const annotations = { ...object.metadata.annotations, [ROLLBACK_IN_BATCH]: String(steps) }
    writeRollout(world, { ...object, metadata: { ...object.metadata, annotations } })
  }

/** A label of the workload. */
export const label =
  (key: string, value: string): Happening =>
  world => {
    const object = existing(workloadIn(world))
    const metadata = { ...object.metadata, labels: { ...object.metadata.labels, [key]: value } }
    writeWorkload(world, { ...object, metadata })
  }

/** Time passes. */
export const pass =
  (seconds: number): Happening =>
  world => {
    world.now += seconds * 1000
  }

/** The controller's clock is set: so far ahead of everybody else's, behind where it is negative. */
export const clockAhead =
  (seconds: number): Happening =>
  world => {
    world.skew = seconds * 1000
  }

/** The webhook stops answering, or answers again. */
export const webhook =
  (up: boolean): Happening =>
  world => {
    world.webhook = up
  }

/** The controller starts anew, with what is stored. */
export const restart: Happening = world => {
  world.repeats = { times: 0, next: 0 }
  catchUp(world)
}

/** Neither hold nor record is on the workload. */
export function isFree(world: World): boolean {
  const { [HOLD]: hold, [RECORD]: record } = { ...workloadIn(world)?.metadata.annotations }
  return hold === undefined && record === undefined
}

function existing<T>(object: T | undefined): T {
  if (object === undefined) throw new Refused('not found')
  return object
}
