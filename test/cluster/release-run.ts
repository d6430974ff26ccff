// One release with one fault: a controller of its own behind a proxy of its own, which shows it one
// namespace alone, so that many runs go on beside each other.

import { equalJson } from '#core/equal.ts'
import type { KubeClient } from '#kube/client.ts'
import { NotFound } from '#kube/errors.ts'
import { DEPLOYMENTS, LEASES } from '#kube/resources.ts'
import { startChild } from '../../dev/child.ts'
import type { Child } from '../../dev/child.ts'
import { until } from '../../dev/until.ts'
import type { State } from './chronicle-facts.ts'
import { endOf } from './release-end.ts'
import type { End } from './release-end.ts'
import { startFaultProxy } from './fault-proxy.ts'
import type { FaultProxy } from './fault-proxy.ts'
import { approve, edit, scale } from './history-acts.ts'
import type { Scene } from './history-acts.ts'
import { isRight, isSettled, lineOf, total } from './history-facts.ts'
import { deployments } from './history-kinds.ts'
import { breaches } from './history-laws.ts'
import type { Breach } from './history-laws.ts'
import { comes, createScene } from './history-scene.ts'
import type { Stage } from './history-scene.ts'
import { WORKLOAD } from './manifests.ts'
import type { ProxiedRequest } from './proxied-request.ts'
import { writesWhenWoken } from './quiet.ts'

/** A run, for whoever disturbs it. */
export interface Run {
  readonly stage: Stage
  readonly scene: Scene
  readonly proxy: FaultProxy
  readonly controller: Restartable
  /** Which write of the release a request is, from 1; undefined for what is none. */
  readonly writeOf: (request: ProxiedRequest) => number | undefined
}

/** What disturbs a run. */
export interface Disturbance {
  /** Decides about each request from the first edit on. */
  readonly fault: FaultProxy['fault']
  /** How often there was something to disturb. */
  readonly times: () => number
}

/** How large a release is: its pods at first, and after it was scaled. */
export interface Size {
  readonly replicas: number
  readonly scaled: number
}

/** What became of a run. */
export interface Outcome {
  /** How often there was something to disturb. */
  readonly times: number
  /** How many of the writes were not refused: how often one conflicts, the clock says. */
  readonly accepted: number
  /** Every write that the controller asked for, in words. */
  readonly writes: readonly string[]
  readonly end: End
  /** Laws that a state on the way broke. */
  readonly breaches: readonly string[]
  /** Writes that came when all was at its end and the controller was woken once more. */
  readonly restless: number
}

/** What is played. */
export interface Play {
  /** Not there yet. */
  readonly namespace: string
  readonly size: Size
  readonly disturb?: (run: Run) => Disturbance
  /** How it ends where news that only count pods have come, too: waited for, but not for ever. */
  readonly ends?: End
}

/** Plays the release to its end. */
export async function play(
  stage: Stage,
  { namespace, size, disturb, ends }: Play,
): Promise<Outcome> {
  const proxy = await startFaultProxy(stage.cluster.kubeconfig, { onlyNamespace: namespace })
  const controller = new Restartable(stage, namespace, proxy)
  const start = startOf(size)
  try {
    await controller.start()
    const scene = await createScene(stage, namespace, start)
    const before = proxy.writes()
    const writeOf = ({ write }: ProxiedRequest) => write && write - before
    const disturbance = disturb?.({ stage, scene, proxy, controller, writeOf })
    if (disturbance) proxy.fault = disturbance.fault
    await release(scene, size)
    if (ends) await endsAs(stage.client, namespace, ends)
    const restless = await writesWhenWoken(await controller.current(), 1, () => wake(scene))
    const { wishes, killed } = scene
    const states = scene.chronicle.states()
    const writes = proxy.requests.filter(({ write = 0 }) => write > before)
    return {
      times: disturbance?.times() ?? 0,
      accepted: writes.filter(write => !proxy.wasRefused(write)).length,
      writes: writes.map(inWords),
      end: await endOf(stage.client, namespace),
      breaches: breaches(states, { kind: deployments, wishes, killed, ...start }).map(breach =>
        told(states, breach),
      ),
      restless,
    }
  } finally {
    await controller.stop()
    await proxy.stop()
  }
}

/** The law, and how it came to its breach. */
function told(states: readonly State[], { law, index }: Breach): string {
  return [law, ...states.slice(Math.max(index - 40, 0), index + 1).map(lineOf)].join('\n')
}

/** Gives up after a while: whoever looks then sees what is not as it should be. */
async function endsAs(client: KubeClient, namespace: string, end: End): Promise<void> {
  const same = async () => equalJson((await endOf(client, namespace)).rollouts, end.rollouts)
  await until('another end', same).catch(() => {})
}

function startOf({ replicas }: Size) {
  return { replicas, strategy: 2, minReadySeconds: 0, plan: 0, revisionHistoryLimit: 10 }
}

/** An edit that is taken back at its first step, and another one that goes to the end. */
async function release(scene: Scene, { scaled }: Size): Promise<void> {
  await edit(scene, 'v2')
  await reached(scene, 1)
  await edit(scene, 'v1')
  await comes(scene, 'everybody is back', isRight)
  await edit(scene, 'v3')
  await reached(scene, 1)
  await approve(scene)
  await reached(scene, 2)
  await scale(scene, scaled)
  await comes(scene, 'the new size', state => total(state) === scaled && isSettled(state))
  await approve(scene)
  await comes(scene, 'everybody is new', isRight)
}

async function reached(scene: Scene, step: number): Promise<void> {
  await comes(scene, `step ${step} in its pause`, ({ workload, rollout }) => {
    const { told } = rollout!
    const latest = workload?.hold?.includes(`rollout-id=${told.release};`) === true
    return latest && told.step === step && told.state === 'StepPaused'
  })
}

/** Wakes the controller without giving the controller-manager anything to do. */
function wake({ client, namespace }: Scene): Promise<unknown> {
  const patch = { metadata: { labels: { woken: 'yes' } } }
  return client.mergePatch(DEPLOYMENTS, { namespace, name: WORKLOAD }, patch)
}

function inWords({ verb, resource, name = '', subresource = '' }: ProxiedRequest): string {
  return `${verb} ${resource} ${name} ${subresource}`.trimEnd()
}

/** A controller that may be killed, and started again. */
export class Restartable {
  readonly #stage: Stage
  readonly #namespace: string
  readonly #proxy: FaultProxy
  #child: Promise<Child> | undefined

  constructor(stage: Stage, namespace: string, proxy: FaultProxy) {
    this.#stage = stage
    this.#namespace = namespace
    this.#proxy = proxy
  }

  async start(): Promise<void> {
    this.#child = this.#start()
    await this.#child
  }

  /** The process that runs, or will once it is started again. */
  current(): Promise<Child> {
    return this.#child!
  }

  /** From now on `current` waits for the next process; `kill` ends this one, and starts that. */
  dying(): { readonly kill: () => Promise<void> } {
    const old = this.#child!
    const killed = Promise.withResolvers<void>()
    this.#child = killed.promise.then(async () => {
      // A person who knows that the old one is dead need not wait for its Lease to run out.
      await this.#unlock()
      return this.#start()
    })
    return {
      kill: async () => {
        await (await old).stop('SIGKILL')
        killed.resolve()
      },
    }
  }

  async stop(): Promise<void> {
    const child = await this.#child
    await child?.stop()
  }

  #start(): Promise<Child> {
    return startChild({
      program: 'controller',
      args: [
        `--kubeconfig=${this.#proxy.kubeconfig}`,
        '--configuration=sluice-dev',
        '--namespace=default',
        `--lease-name=${this.#namespace}`,
        '--probes-host=127.0.0.1',
        '--probes-port=0',
        '--log-level=warn',
      ],
      onLine: () => {},
    })
  }

  async #unlock(): Promise<void> {
    try {
      await this.#stage.client.remove(LEASES, { namespace: 'default', name: this.#namespace })
    } catch (error) {
      if (!(error instanceof NotFound)) throw error
    }
  }
}
