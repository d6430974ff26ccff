// What a test reads off a Deployment and off the answer of a command: the fields by which it is held,
// what of ours is on it, who owns which field, and the warnings that a person saw.

import type { Deployment, DeploymentSpec, KubeObject, PodTemplate } from '#api/kubernetes.ts'
import { ARMED_MIN_READY_SECONDS, HOLD, NO_PROGRESS_DEADLINE, RECORD, WAVE } from '#api/names.ts'
import type { CommandResult } from './commands.ts'
import type { Story } from './story.ts'

/** The fields of a Deployment by which it is held, with the API server's defaults. */
export type HoldFields = Pick<
  DeploymentSpec,
  'strategy' | 'minReadySeconds' | 'progressDeadlineSeconds' | 'paused'
>

/** The fields of the Deployment by which it is held; `minReadySeconds` 0 where it is left out. */
export function holdFields({ spec }: Deployment): HoldFields {
  const { strategy = {}, minReadySeconds = 0, progressDeadlineSeconds = 600, paused = false } = spec
  return { strategy, minReadySeconds, progressDeadlineSeconds, paused }
}

/** The hold fields of a Deployment whose manifest is silent about them. */
export const DEFAULT_FIELDS: HoldFields = {
  strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '25%', maxSurge: '25%' } },
  minReadySeconds: 0,
  progressDeadlineSeconds: 600,
  paused: false,
}

/** The hold fields of a Deployment of which so many pods may be new, a percent. */
export function heldFields(budget: string, surge: string | number = '00%'): HoldFields {
  return {
    strategy: {
      type: 'RollingUpdate',
      rollingUpdate: { maxUnavailable: budget, maxSurge: surge },
    },
    minReadySeconds: ARMED_MIN_READY_SECONDS,
    progressDeadlineSeconds: NO_PROGRESS_DEADLINE,
    paused: false,
  }
}

/** Keys of `sluice.dev` that the workload carries. */
export function ownKeys({ metadata: { annotations, labels } }: KubeObject): readonly string[] {
  return Object.keys({ ...annotations, ...labels }).filter(key => key.startsWith('sluice.dev/'))
}

/** Hold and record, as they stand: while neither changes, nobody lets a pod in or out. */
export function holdOn({ metadata }: Deployment): readonly (string | undefined)[] {
  return [metadata.annotations?.[HOLD], metadata.annotations?.[RECORD], metadata.labels?.[WAVE]]
}

/** The Deployment of a command that was told to print it (`-o json`). */
export function printed({ stdout }: CommandResult): Deployment {
  return JSON.parse(stdout) as Deployment
}

/** The warnings that a command showed, a line each; Helm puts them into lines of its log. */
export function warningsOf({ stderr }: CommandResult): readonly string[] {
  return stderr.split('\n').flatMap(line => {
    const [, plain] = /^Warning: (.*)$/.exec(line) ?? []
    if (plain !== undefined) return [plain]
    const [, quoted] = /warnings\.go:\d+\] ("Warning: .*")$/.exec(line) ?? []
    return quoted === undefined ? [] : [(JSON.parse(quoted) as string).replace('Warning: ', '')]
  })
}

/** Runs the kubectl command that one of the lines tells after these words, up to its `, or`. */
export async function runTold(story: Story, lines: readonly string[], words: string) {
  const command = lines
    .find(line => line.includes(words))
    ?.split(words)[1]
    ?.split(', or ')[0]
  if (!command?.startsWith('kubectl ')) throw new Error(`no command in:\n${lines.join('\n')}`)
  // As a shell would take it apart: what is in `$(…)` first, and quotes keep words together.
  const [outer, inner] = command.split(/\$\(|\)$/) as [string, string?]
  const answer = inner === undefined ? '' : (await runParts(story, inner)).stdout
  return runParts(story, `${outer}${answer}`)
}

function runParts(story: Story, command: string) {
  const words = command.match(/(?:'[^']*'|[^\s'])+/g) ?? []
  return story.kubectl(words.slice(1).map(word => word.replaceAll("'", '')))
}

/** Paths of the fields that each manager owns, as `metadata.annotations.sluice.dev/hold`. */
export function ownership({ metadata }: KubeObject): ReadonlyMap<string, readonly string[]> {
  const { managedFields = [] } = metadata as { readonly managedFields?: readonly Entry[] }
  const managers = Map.groupBy(managedFields, ({ manager }) => manager)
  return new Map(
    [...managers].map(([manager, entries]) => [
      manager,
      entries.flatMap(({ fieldsV1 }) => leaves(fieldsV1, [])),
    ]),
  )
}

/** The managers that own some of the fields by which a workload is held, in order. */
export function holdersIn(workload: KubeObject): readonly string[] {
  const held = /^spec\.(strategy|updateStrategy|minReadySeconds|progressDeadlineSeconds)(\.|$)/
  const owners = [...ownership(workload)].filter(([, paths]) => paths.some(it => held.test(it)))
  return owners.map(([manager]) => manager).toSorted()
}

/** All of it but what a release is for: template, status, and what the API server counts. */
export function apart(workload: Specified): Apart {
  const { labels, annotations } = workload.metadata
  const counted = ['deployment.kubernetes.io/revision', 'deprecated.daemonset.template.generation']
  const others = Object.fromEntries(
    Object.entries({ ...annotations }).filter(([key]) => !counted.includes(key)),
  )
  const { template: _, ...spec } = workload.spec
  return { labels, annotations: others, spec, owners: holdersIn(workload) }
}

/** A workload of whichever kind. */
export interface Specified extends KubeObject {
  readonly spec: { readonly template: PodTemplate }
}

/** What stays the same while versions go by. */
interface Apart {
  readonly labels: object | undefined
  readonly annotations: object
  readonly spec: object
  readonly owners: readonly string[]
}

interface Entry {
  readonly manager: string
  readonly fieldsV1: object
}

function leaves(fields: object, path: readonly string[]): readonly string[] {
  const inner = Object.entries(fields).filter(([key]) => key !== '.')
  if (inner.length === 0) return [path.join('.')]
  return inner.flatMap(([key, value]) => leaves(value as object, [...path, key.slice(2)]))
}
