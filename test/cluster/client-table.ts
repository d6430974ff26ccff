// Every client in every state, as a specification: a client is what it writes, a state is what stands
// when it writes, and `effectOf` says what comes of the two. There is no row per cell: what the table
// expects follows from the few properties below.

/** A version of the workload: what its template runs. */
export type Version =
  /** Was released before the stable one. */
  | 'earlier'
  /** Everybody runs it when the release begins. */
  | 'stable'
  /** The release of the state. */
  | 'second'
  /** Another edit in the middle of that release. */
  | 'third'
  /** Nobody has seen it yet. */
  | 'new'

/** Who has stopped the pods. */
export type Stop = 'owner' | 'rollout' | 'abort'

/** What stands when a client writes. */
export interface State {
  readonly name: string
  /** The version that the Deployment names. */
  readonly live: Version
  /** Where `kubectl rollout undo` leads. */
  readonly previous: Version
  /** A release holds the Deployment. */
  readonly held: boolean
  /** Nothing starts until somebody says so. */
  readonly stopped?: Stop
  /** `spec.paused` is true: kubectl refuses what a paused Deployment cannot do. */
  readonly paused?: boolean
  /** Pods of the live version when all are 8, and when all are 2; none said: nobody counts. */
  readonly scaled?: Readonly<Record<number, number>>
  /** The controller-manager moves pods by the owner's own strategy, at no step. */
  readonly rolling?: boolean
  /** Seconds; every manifest names them here, since nobody can wait for the default of 600. */
  readonly deadline?: number
}

/** Pods of the workload, and after a scaling up or down. */
export const REPLICAS = 4
export const MORE = 8
export const FEWER = 2

/** The plan: pods 1, 2, 3 and all of 4. */
export const STEPS = [
  { replicas: 1 },
  { replicas: '50%' },
  { replicas: '75%' },
  { replicas: '100%' },
]

const inRelease = { live: 'second', previous: 'stable', held: true } as const

/** The states. A frozen or aborted release had reached step 1. */
export const states = {
  atRest: {
    name: 'at rest',
    live: 'stable',
    previous: 'earlier',
    held: false,
    scaled: { 8: 8, 2: 2 },
  },
  step1: { ...inRelease, name: 'at step 1', scaled: { 8: 1, 2: 1 } },
  step2: { ...inRelease, name: 'at step 2', scaled: { 8: 4, 2: 1 } },
  // A percent below 100% leaves an old pod.
  step3: { ...inRelease, name: 'at step 3', scaled: { 8: 6, 2: 1 } },
  lastStep: {
    ...inRelease,
    name: 'while the last step lets everybody go',
    rolling: true,
    scaled: { 8: 8, 2: 2 },
  },
  frozenByRollout: {
    ...inRelease,
    name: 'frozen by its Rollout',
    stopped: 'rollout',
    scaled: { 8: 1, 2: 1 },
  },
  // Nobody of ours touches what its owner has paused: the controller-manager shares out.
  frozenByOwner: {
    ...inRelease,
    name: 'frozen by rollout pause',
    stopped: 'owner',
    paused: true,
    scaled: { 8: 2, 2: 1 },
  },
  // Of 2 pods nobody may be missing: whoever never gets Ready stays beside them.
  stalled: { ...inRelease, name: 'stalled', scaled: { 8: 1 }, deadline: 4 },
  rollingBack: {
    name: 'rolling back',
    live: 'stable',
    previous: 'second',
    held: false,
    rolling: true,
  },
  aborted: {
    ...inRelease,
    name: 'aborted',
    stopped: 'abort',
    paused: true,
    scaled: { 8: 0, 2: 0 },
  },
  third: {
    ...inRelease,
    name: 'third on its way',
    live: 'third',
    previous: 'second',
    scaled: { 8: 1, 2: 1 },
  },
} as const satisfies Record<string, State>

/** The name of a state in the code. */
export type StateName = keyof typeof states

/** What one command of a client writes. */
export interface Write {
  /** The template: a version, the one that stands, or the one that stood before. */
  readonly template?: 'new' | 'same' | 'stable' | 'previous' | 'earlier'
  readonly replicas?: number
  readonly paused?: boolean
  /** Another strategy than the one that stands. */
  readonly strategy?: boolean
}

/** One way to write to a Deployment. */
export interface Client {
  readonly name: string
  readonly writes: Write
  /**
   * Who brought the Deployment. `nobody`: the client brings no manifest, and writes to one that is
   * there; `history`: the same, with a version that was released earlier; else it is the client
   * itself, and its manifest may name the hold fields.
   */
  readonly brings: 'nobody' | 'history' | Tool
  /** Its field manager, as the API server records it. */
  readonly manager: string
  /** It puts a whole object: what its manifest does not name goes back to the defaults. */
  readonly whole?: boolean
  /** It asks for fields that belong to another manager, and takes no for an answer. */
  readonly second?: boolean
  /** What it changes of the template is not the image. */
  readonly restarts?: boolean
  /** kubectl refuses it for a paused Deployment. */
  readonly refusesPaused?: boolean
  /**
   * It sends the very patch of another client, but for the name of its manager: the two take turns
   * where they move pods.
   */
  readonly turn?: 0 | 1
  /** The command ends when the release does. */
  readonly waits?: 'helm4' | 'helm3' | 'rollback'
}

/** Who brings a manifest. */
export type Tool = 'replace' | 'apply' | 'serverSide' | 'helm3' | 'helm4'

/** Whether the manifest names strategy, minReadySeconds and progressDeadlineSeconds. */
export type Manifest = 'named' | 'silent'

/** What comes of one write. */
export type Effect =
  /** Not a pod, not a field, not a generation. */
  | { readonly is: 'nothing'; readonly warning?: RegExp }
  /** By the client or the API server, in its own words, before anybody of ours is asked. */
  | { readonly is: 'refused'; readonly words: RegExp; readonly why: string }
  /** A release begins at step 1, or at no pod at all while something stops it. */
  | { readonly is: 'release'; readonly again: boolean; readonly stopped?: Stop }
  | { readonly is: 'rollback'; readonly unpauses: boolean }
  | { readonly is: 'scaled'; readonly to: number }
  | { readonly is: 'paused'; readonly told: boolean }
  | { readonly is: 'resumed' }
  /** The owner's values are recorded, or stand at once. */
  | { readonly is: 'recorded'; readonly told: boolean }

/** What comes of what the client writes in the state. The whole table is this function. */
export function effectOf(client: Client, state: State, manifest: Manifest): Effect {
  const refused = refusalOf(client, state) ?? conflictOf(client, state, manifest)
  return refused ? { is: 'refused', ...refused } : effectOfFields(client, state)
}

function effectOfFields(client: Client, state: State): Effect {
  const { replicas, paused, strategy } = client.writes
  if (replicas !== undefined) return { is: 'scaled', to: replicas }
  if (paused !== undefined) return paused ? { is: 'paused', told: state.held } : resumed(state)
  if (strategy) return { is: 'recorded', told: state.held }
  return effectOfTemplate(client, state)
}

function effectOfTemplate({ writes, whole = false }: Client, state: State): Effect {
  const version = versionOf(writes, state)
  // A manifest that is put whole says that the Deployment is not paused, by not saying it.
  const unpauses = whole && state.paused === true
  if (version === state.live) return unpauses ? resumed(state) : { is: 'nothing' }
  if (version === 'stable') {
    return { is: 'rollback', unpauses: state.stopped === 'owner' && !unpauses }
  }
  const stopped = stopOf(state, unpauses)
  return { is: 'release', again: state.held, ...(stopped && { stopped }) }
}

/** The version that the Deployment names after the write. */
export function versionOf({ template = 'same' }: Write, state: State): Version {
  if (template === 'same') return state.live
  return template === 'previous' ? state.previous : template
}

/** An abort ends with the version that was aborted; the other stops stop the next one, too. */
function stopOf({ stopped }: State, unpauses: boolean): Stop | undefined {
  if (stopped === 'abort' || (stopped === 'owner' && unpauses)) return undefined
  return stopped
}

/** Un-pausing ends what its owner has paused, and an abort only by the way that is told. */
function resumed({ stopped }: State): Effect {
  return stopped === 'abort'
    ? { is: 'nothing', warning: /^the release was aborted; start it again with: / }
    : { is: 'resumed' }
}

type Refusal = Pick<Extract<Effect, { readonly is: 'refused' }>, 'words' | 'why'>

/** kubectl looks before it writes. */
function refusalOf({ writes, refusesPaused }: Client, state: State): Refusal | undefined {
  const { paused = false } = state
  if (refusesPaused && paused) {
    return { words: /paused/, why: 'kubectl knows no undo and no restart of a paused Deployment' }
  }
  if (writes.paused === undefined || writes.paused !== paused) return undefined
  const words = paused ? /is already paused/ : /is not paused/
  return { words, why: 'kubectl refuses what stands already' }
}

function conflictOf(client: Client, state: State, manifest: Manifest): Refusal | undefined {
  const names = manifest === 'named' || state.deadline !== undefined
  const projected = names && isProjected(state)
  const differs = versionOf(client.writes, state) !== state.live
  if (!client.second || (!projected && !differs)) return undefined
  const why = 'who owns a field is settled before admission, by what stands there'
  return { words: /Apply failed with \d conflict/, why }
}

/** The hold fields stand otherwise than the owner's manifest says. */
function isProjected({ held, rolling }: State): boolean {
  return held && !rolling
}

/** Why a cell is left out, or undefined. */
export function impossible(client: Client, state: State): string | undefined {
  const { template } = client.writes
  if (template === 'stable' && state.live === 'stable') {
    return 'the stable version stands: there is nothing to go back to, and the same is another row'
  }
  return undefined
}

/**
 * Why a client that waits says that all is done when nothing is, or undefined. No webhook can change
 * it, so the answer to the edit says that nothing starts, and docs/stock-clients.md what to use.
 */
export function lieOf({ waits }: Client, effect: Effect): string | undefined {
  const stopped = effect.is === 'release' && effect.stopped !== undefined
  return waits && stopped ? 'Helm takes a paused Deployment for a finished one' : undefined
}
