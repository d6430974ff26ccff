// Where a cell of the table plays: one workload, brought to a state by whoever owns it, and the way
// from wherever it stands to its end.

import type { Deployment } from '#api/kubernetes.ts'
import { ABORT } from '#api/names.ts'
import { defined } from '#core/defined.ts'
import { DEPLOYMENTS, ROLLOUTS } from '#kube/resources.ts'
import { REPLICAS, STEPS, states } from './client-table.ts'
import type { Manifest, State, StateName, Tool as ToolName, Version } from './client-table.ts'
import { hasCondition, says, setOf, stand, totalOf } from './facts.ts'
import { ROLLOUT, WORKLOAD, workloadOf } from './manifests.ts'
import { readyByHand } from './ready-by-hand.ts'
import type { Story } from './story.ts'
import { MANIFEST_SPEC, helmTool, manifestTool } from './tools.ts'
import type { Brought, Tool } from './tools.ts'
import type { World } from './world.ts'

/** What a stage is for. */
export interface StageOptions {
  readonly state: StateName
  readonly manifest: Manifest
  readonly brings: 'nobody' | 'history' | ToolName
}

/** One workload in its state. */
export interface Stage extends StageOptions {
  readonly world: World
  readonly story: Story
  readonly tool: Tool
  /** What the tool brings, with the image of a version. */
  readonly what: (version: Version) => Brought
  readonly image: (version: Version) => string
  /** All pods get Ready from now on. */
  readonly heal: () => void
  readonly end: () => void
}

/** Builds a workload and brings it to the state. */
export async function stageOf(world: World, options: StageOptions): Promise<Stage> {
  const { state, brings } = options
  const tool = toolOf(world, brings)
  const image = (version: Version) => images(state)[version]
  const spec = specOf(options)
  const hands = { end: () => {} }
  const needed = Object.values(images(state)).some(each => each.includes('broken'))
  const makeReady = (namespace: string) => {
    hands.end()
    if (needed) hands.end = readyByHand(world.client, namespace)
  }
  const what = (version: Version) => ({ ...common, image: image(version), spec })
  const common = { namespace: '', replicas: REPLICAS }
  const install = async (namespace: string) => {
    common.namespace = namespace
    makeReady(namespace)
    await tool.install(what('stable'))
  }
  const told = { replicas: REPLICAS, steps: STEPS }
  const story =
    brings === 'history'
      ? await withHistory(world, () => what('stable'), makeReady)
      : await world.story({ ...told, install })
  common.namespace = story.namespace
  const stage: Stage = {
    ...options,
    world,
    story,
    tool,
    what,
    image,
    heal: () => makeReady(story.namespace),
    end: () => {
      hands.end()
      story.close()
    },
  }
  await reach[state](stage, () => hands.end())
  return stage
}

const images = (state: StateName): Readonly<Record<Version, string>> => ({
  earlier: 'app:0',
  // Where something has to stand still in the middle, its pods do not get Ready by themselves.
  stable: state === 'rollingBack' ? 'broken:1' : 'app:1',
  second: state === 'stalled' || state === 'lastStep' ? 'broken:2' : 'app:2',
  third: 'app:3',
  new: 'app:9',
})

function specOf({ state, manifest }: StageOptions): Brought['spec'] {
  const { deadline: progressDeadlineSeconds }: State = states[state]
  const spec = manifest === 'named' ? MANIFEST_SPEC : {}
  return { ...spec, ...defined({ progressDeadlineSeconds }) }
}

/** What the owner wants in the hold fields, as the API server shows it. */
export function ownersFields(options: StageOptions): object {
  const rollingUpdate = { maxUnavailable: '25%', maxSurge: '25%' }
  const strategy = { type: 'RollingUpdate', rollingUpdate }
  const silent = { strategy, minReadySeconds: 0, progressDeadlineSeconds: 600, paused: false }
  return { ...silent, ...specOf(options) }
}

function toolOf({ cluster, client }: World, brings: StageOptions['brings']): Tool {
  const ref = ({ namespace }: Brought) => ({ namespace, name: WORKLOAD })
  const silently = { code: 0, stdout: '', stderr: '' }
  const tools: Readonly<Record<ToolName, () => Tool>> = {
    replace: () => manifestTool(cluster, ['replace'], ['create']),
    apply: () => manifestTool(cluster, ['apply']),
    serverSide: () => manifestTool(cluster, ['apply', '--server-side']),
    helm3: () => helmTool(cluster, 3),
    helm4: () => helmTool(cluster, 4),
  }
  if (brings !== 'nobody' && brings !== 'history') return tools[brings]()
  const bring = async (what: Brought) => {
    const containers = [{ name: 'app', image: what.image }]
    await client.strategicPatch(DEPLOYMENTS, ref(what), {
      spec: { template: { spec: { containers } } },
    })
    return silently
  }
  const install = async ({ namespace, ...options }: Brought) => {
    await client.create(DEPLOYMENTS, workloadOf(namespace, options) as Deployment)
    return silently
  }
  return { install, bring, goBack: bring }
}

/** A version was released before, under the same Rollout, by one pod: that is cheap. */
async function withHistory(
  world: World,
  stable: () => Brought,
  makeReady: (namespace: string) => void,
): Promise<Story> {
  const { image, spec } = stable()
  const story = await world.story({ replicas: 1, image: 'app:0', spec, steps: STEPS })
  await patchTemplate(story, image)
  makeReady(story.namespace)
  await story.reached(1)
  await goOn(story, STEPS.length)
  await story.phase('Healthy')
  const ref = { namespace: story.namespace, name: WORKLOAD }
  await story.client.mergePatch(DEPLOYMENTS, ref, { spec: { replicas: REPLICAS } })
  await stand(story, { [image]: REPLICAS })
  return story
}

async function patchTemplate(story: Story, image: string): Promise<void> {
  const ref = { namespace: story.namespace, name: WORKLOAD }
  const containers = [{ name: 'app', image }]
  await story.client.strategicPatch(DEPLOYMENTS, ref, {
    spec: { template: { spec: { containers } } },
  })
}

type Reach = (stage: Stage, stopHands: () => void) => Promise<void>

/** How each state is reached. What is written here is known to work: other tests look at it. */
const reach: Readonly<Record<StateName, Reach>> = {
  atRest: async () => {},
  step1: stage => toStep(stage, 1),
  step2: stage => toStep(stage, 2),
  step3: stage => toStep(stage, 3),
  async lastStep(stage, stopHands) {
    await toStep(stage, 3)
    stopHands()
    await goOn(stage.story, STEPS.length)
    await comeToRest(stage.story, () => stage.story.now().wanted[stage.image('stable')] === 0)
  },
  async frozenByRollout(stage) {
    await toStep(stage, 1)
    await pauseRollout(stage.story, true)
    await says(stage.story, 'paused by its owner')
  },
  async frozenByOwner(stage) {
    await toStep(stage, 1)
    await pauseWorkload(stage.story, true)
    await says(stage.story, 'paused by its owner')
  },
  async stalled(stage, stopHands) {
    stopHands()
    await stage.tool.bring(stage.what('second'))
    await hasCondition(stage.story, 'Stalled', 'ProgressDeadlineExceeded')
    // On a busy machine the deadline may be over before its pod is made.
    await comeToRest(stage.story, () => stage.story.now().wanted[stage.image('second')] === 1)
  },
  async rollingBack(stage, stopHands) {
    await toStep(stage, 3)
    stopHands()
    await stage.tool.bring(stage.what('stable'))
    // As many as may be missing are, and as many as may be added.
    await comeToRest(stage.story, () => {
      const { total, ready } = stage.story.now()
      return total > REPLICAS && ready === REPLICAS - 1
    })
  },
  async aborted(stage) {
    await toStep(stage, 1)
    await annotateAbort(stage.story, 'stage')
    await hasCondition(stage.story, 'Stalled', 'Aborted')
    await stand(stage.story, { [stage.image('stable')]: REPLICAS })
  },
  async third(stage) {
    await toStep(stage, 2)
    await stage.tool.bring(stage.what('third'))
    await reached(stage.story, 1)
  },
}

async function toStep({ story, tool, what }: Stage, step: number): Promise<void> {
  await tool.bring(what('second'))
  await reached(story, 1)
  if (step === 1) return
  await goOn(story, step)
  await reached(story, step)
}

/** The controller-manager has nothing more to do for now. */
async function comeToRest(story: Story, fact: () => boolean): Promise<void> {
  await story.until('the controller-manager to come to rest', async () => {
    if (!fact()) return false
    const { metadata, status } = await story.deployment()
    const counted = status?.replicas === totalOf(story.now())
    return counted && status.observedGeneration === metadata.generation
  })
}

/** The step is in its pause, and the pods that came beside the others have their place. */
async function reached(story: Story, step: number): Promise<void> {
  await story.reached(step)
  await comeToRest(story, () => {
    const { total, ready } = story.now()
    return total === REPLICAS && ready === REPLICAS && totalOf(story.now()) === REPLICAS
  })
}

/** From the pause of a step to another one: the next is approved, one beyond is jumped to. */
async function goOn(story: Story, step: number): Promise<void> {
  const { nextStepIndex } = { ...(await story.rollout()).status?.canaryStatus }
  const ref = { namespace: story.namespace, name: ROLLOUT }
  const canaryStatus =
    nextStepIndex === step ? { currentStepState: 'StepReady' } : { nextStepIndex: step }
  await story.client.mergePatch(ROLLOUTS, ref, { status: { canaryStatus } }, status)
}

const status = { subresource: 'status' }

async function pauseRollout(story: Story, paused: boolean): Promise<void> {
  const ref = { namespace: story.namespace, name: ROLLOUT }
  await story.client.mergePatch(ROLLOUTS, ref, { spec: { strategy: { paused } } })
}

async function pauseWorkload(story: Story, paused: boolean): Promise<void> {
  const ref = { namespace: story.namespace, name: WORKLOAD }
  await story.client.mergePatch(DEPLOYMENTS, ref, { spec: { paused } })
}

/** Aborts, or with null forgets it. */
export async function annotateAbort(story: Story, value: string | null): Promise<void> {
  const ref = { namespace: story.namespace, name: ROLLOUT }
  await story.client.mergePatch(ROLLOUTS, ref, { metadata: { annotations: { [ABORT]: value } } })
}

/** From wherever it stands: nothing stops it any more, and the last step lets everybody go. */
export async function bringToItsEnd({ story, heal }: Stage): Promise<void> {
  heal()
  const { metadata, spec } = await story.rollout()
  if (metadata.annotations?.[ABORT] !== undefined) await annotateAbort(story, null)
  if (spec.strategy.paused === true) await pauseRollout(story, false)
  if ((await story.deployment()).spec.paused === true) await pauseWorkload(story, false)
  await story.until('the end of the release', async () => {
    const { metadata, status } = await story.rollout()
    if (status?.canaryStatus?.currentStepState === 'StepPaused') await goOn(story, STEPS.length)
    const seen = status?.observedGeneration === metadata.generation
    return seen && status?.phase === 'Healthy' && (await isRolledOut(story))
  })
  await story.caughtUp()
}

async function isRolledOut(story: Story): Promise<boolean> {
  const { metadata, spec, status } = await story.deployment()
  if (status?.observedGeneration !== metadata.generation) return false
  const { replicas = 0, updatedReplicas = 0, availableReplicas = 0 } = status ?? {}
  const all = spec.replicas ?? 1
  return [replicas, updatedReplicas, availableReplicas].every(count => count === all)
}

/** The revision of the ReplicaSet that runs the version, as `rollout undo` names it. */
export async function revisionOf({ story, image }: Stage, version: Version): Promise<string> {
  const { metadata } = await setOf(story, image(version))
  return metadata.annotations?.['deployment.kubernetes.io/revision'] ?? ''
}

/** The state that the stage was brought to. */
export function standing({ state }: Stage): State {
  return states[state]
}
