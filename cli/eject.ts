// `sluice eject`: gives Deployments back and proves it. Works with the API server and the
// controller-manager alone; every write is refused where somebody else was quicker, and then it is
// looked again.

import type { KubeObject } from '#api/kubernetes.ts'
import type { Rollout } from '#api/rollout.generated.ts'
import type { DeploymentOwner } from '#core/workload/deployment-fields.ts'
import type { KubeClient } from '#kube/client.ts'
import { Conflict, NotFound } from '#kube/errors.ts'
import { DEPLOYMENTS, REPLICA_SETS } from '#kube/resources.ts'
import type { ResourceType } from '#kube/resources.ts'
import { difference, nextStep, ownerOf, traces } from './ejection.ts'
import type { Stand, Step } from './ejection.ts'
import { CLI_MANAGER, fieldOwners } from './field-owners.ts'
import type { Surroundings } from './run.ts'
import { readRollouts, readStand, readStands, rolloutFor } from './stands.ts'
import { abortedRefusal, isAborted, lostRefusal, namedRefusal, nameOf, story } from './words.ts'

/** What is to be given back. */
export interface Ejection {
  /** Undefined: all namespaces. */
  readonly namespace?: string
  /** One Deployment; undefined: every one with a trace of ours. */
  readonly workload?: string
  readonly dryRun: boolean
  /** Although Rollouts name them: no controller is there to guard them again. */
  readonly keepRollouts: boolean
  readonly withAborted: boolean
}

type Saying = Pick<Surroundings, 'print' | 'complain'>

/** Gives back what was asked for, one line each; false where one was not. Throws when it cannot read. */
export async function eject(
  client: KubeClient,
  ejection: Ejection,
  { print, complain }: Saying,
): Promise<boolean> {
  const { namespace, workload, dryRun } = ejection
  const stands =
    workload === undefined
      ? await readStands(client, namespace)
      : [await readStand(client, { namespace: namespace!, name: workload })]
  const rollouts = await readRollouts(client, namespace)
  const traced = stands.filter(stand => traces(stand).length > 0)
  if (traced.length === 0) print(nothingFound(ejection))
  let done = true
  for (const stand of traced) {
    const name = nameOf(stand.deployment)
    const verdict = judge(stand, rolloutFor(stand.deployment, rollouts), ejection)
    const failure = verdict.refusal ?? (await carriedOut(client, stand, verdict.owner, dryRun))
    if (failure === undefined) print(`${name}: ${verdict.line}${dryRun ? ' (dry run)' : ''}`)
    else complain(`${name}: not given back: ${failure}`)
    done &&= failure === undefined
  }
  return done
}

function nothingFound({ namespace, workload }: Ejection): string {
  if (workload !== undefined)
    return `${namespace}/deployment/${workload}: nothing of Sluice is on it`
  const where = namespace === undefined ? 'any namespace' : `namespace ${namespace}`
  return `nothing of Sluice is on any Deployment of ${where}`
}

type Verdict =
  | { readonly owner: DeploymentOwner; readonly line: string; readonly refusal?: undefined }
  | { readonly owner?: undefined; readonly line?: undefined; readonly refusal: string }

function judge(stand: Stand, rollout: Rollout | undefined, ejection: Ejection): Verdict {
  const { keepRollouts, withAborted } = ejection
  if (rollout && rollout.spec.disabled !== true && !keepRollouts)
    return { refusal: namedRefusal(stand, rollout) }
  const owner = ownerOf(stand)
  if (!owner) return { refusal: lostRefusal(stand) }
  if (isAborted(stand) && !withAborted) return { refusal: abortedRefusal(stand) }
  return { owner, line: story(stand, owner, rollout) }
}

/** Gives why it did not work; undefined: nothing of ours is left, read back. */
async function carriedOut(
  client: KubeClient,
  stand: Stand,
  owner: DeploymentOwner,
  dryRun: boolean,
): Promise<string | undefined> {
  if (dryRun) return undefined
  try {
    const end = await giveBack(client, stand, owner)
    return end && difference(end, owner)
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/** As long as this passes without anything getting done, there is hope. */
const PATIENCE_MS = 30_000
/** Two are enough; some more for whoever writes at the same time. Then somebody guards it again. */
const MOST_WRITES = 8

/** Gives how it stands at the end; undefined where the Deployment was deleted meanwhile. */
async function giveBack(
  client: KubeClient,
  first: Stand,
  owner: DeploymentOwner,
): Promise<Stand | undefined> {
  const { namespace = '', name, uid } = first.deployment.metadata
  const aim = { owner, fieldOwners: fieldOwners(first.deployment) }
  let stand: Stand | undefined = first
  let writes = 0
  let since = performance.now()
  while (stand && stand.deployment.metadata.uid === uid) {
    const step: Step | undefined = nextStep(stand, aim)
    if (!step) return stand
    if (step.type === 'wait') {
      if (performance.now() - since > PATIENCE_MS) throw new Error(unseen(step.object))
      await nextChange(client, step.object)
    } else {
      if (step.object === stand.deployment && ++writes > MOST_WRITES) throw new Error(back(stand))
      await write(client, step)
      since = performance.now()
    }
    stand = await readStand(client, { namespace, name }).catch(unlessGone)
  }
  return undefined
}

function back(stand: Stand): string {
  return `${traces(stand).join(', ')}: comes back; does a controller run that guards it?`
}

function unseen({ kind, metadata }: KubeObject): string {
  return `the controller-manager has not looked at ${kind} ${metadata.name} for ${PATIENCE_MS / 1000} s: is it running? Eject again then`
}

function unlessGone(error: unknown): undefined {
  if (error instanceof NotFound) return undefined
  throw error
}

async function write(client: KubeClient, step: Step & { readonly type: 'write' }): Promise<void> {
  const { namespace = '', name, resourceVersion } = step.object.metadata
  const metadata = { ...(step.patch['metadata'] as object), resourceVersion }
  const options = { fieldManager: CLI_MANAGER }
  try {
    const body = { ...step.patch, metadata }
    await client.mergePatch(typeOf(step.object), { namespace, name }, body, options)
  } catch (error) {
    // Somebody was quicker, or it is gone: what is read next says what is left to do.
    if (!(error instanceof Conflict || error instanceof NotFound)) throw error
  }
}

/** Waits until something happens to the object, some seconds at most. */
async function nextChange(client: KubeClient, object: KubeObject): Promise<void> {
  const { namespace = '', name, resourceVersion = '' } = object.metadata
  const signal = AbortSignal.timeout(5000)
  const fieldSelector = `metadata.name=${name}`
  const scope = { namespace, fieldSelector, resourceVersion, signal }
  try {
    for await (const event of client.watch(typeOf(object), scope)) {
      if (event.type !== 'BOOKMARK') return
    }
  } catch (error) {
    if (!signal.aborted) throw error
  }
}

function typeOf({ kind }: KubeObject): ResourceType {
  return kind === 'ReplicaSet' ? REPLICA_SETS : DEPLOYMENTS
}
