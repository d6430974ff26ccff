// Requests meet real processes: pods have servers, a gateway routes by what the API server has, and at no moment
// of a release, of a rollback, of a blue-green switch or of an uninstallation is one of them not answered.

import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'

import { HTTP_ROUTES } from '#kube/resources.ts'
import { lease } from '../../dev/sluice.ts'
import { uninstall } from './commands.ts'
import { startDataPlane } from './data-plane/data-plane.ts'
import type { DataPlane } from './data-plane/data-plane.ts'
import { openGateway } from './data-plane/gateway-objects.ts'
import { interval } from './data-plane/shares.ts'
import { stand } from './facts.ts'
import { serveRoutes, watchRoutes } from './gateway.ts'
import { WORKLOAD } from './manifests.ts'
import type { StoryOptions } from './manifests.ts'
import { namespaceTrouble } from './pod-network/namespace.ts'
import { answered, begin } from './routed.ts'
import type { Place, Routed } from './routed.ts'
import { startWorld } from './world.ts'

const SAMPLE = 100
const [OLD, NEW] = ['served:1', 'served:2'] as const

const trouble = namespaceTrouble()
if (trouble !== undefined) process.stderr.write(`data-plane.test.ts is skipped: ${trouble}\n`)

/** A workload behind the gateway, asked all the time. */
interface Scene extends Place {
  /** So many percent of the requests go to new pods: the gateway says so, and so do the answers. */
  readonly meets: (percent: number) => Promise<void>
  /** Answers to those who send the header that is matched, and ask from now on. */
  readonly testers: (count: number) => Promise<readonly (string | undefined)[]>
  /** Nothing of ours is left on the way of requests, and pods of that version answer all of them. */
  readonly ends: (version: string) => Promise<void>
  /** Whatever happened, everybody was answered. */
  readonly nobodyFailed: () => void
}

describe.skipIf(trouble !== undefined)('with real processes', () => {
  let routed: Routed
  let plane: DataPlane
  beforeAll(async () => {
    const world = await startWorld({ traffic: true })
    await serveRoutes(world.client)
    plane = await startDataPlane(world)
    const gateway = await watchRoutes(world.client)
    routed = {
      type: HTTP_ROUTES,
      world,
      gateway,
      async stop() {
        gateway.stop()
        await plane.stop()
        await world.stop()
      },
    }
  })
  afterAll(() => routed?.stop())
  afterEach(() => plane?.send([]))

  async function open(options: StoryOptions): Promise<Scene> {
    const place = await begin(routed, { image: OLD, ...options })
    const { story } = place
    const host = `${story.namespace}.example.com`
    await openGateway(routed.world.client, story.namespace, host)
    const routesAll = (version: string) =>
      story.until(`the gateway sends everybody to ${version}`, () => {
        const { share, stable } = plane.routes(host)
        return share === 0 && stable.join() === version
      })
    await routesAll(OLD)
    const anybody = { name: 'anybody', host, headers: {} }
    const tester = { name: 'tester', host, headers: { user: 'tester' } }
    // Nobody answers behind the other Service of the route.
    const isOwn = (backend: string) => backend.startsWith(`${story.namespace}-${WORKLOAD}-`)
    const [from, told] = [plane.answers.length, plane.nowhere.length]
    plane.send([anybody])
    return {
      ...place,
      async meets(percent) {
        await story.until(`the gateway sends ${percent}% to new pods`, () => {
          return plane.routes(host).share === percent
        })
        const answers = await plane.next('anybody', SAMPLE)
        const [least, most] = interval(SAMPLE, percent)
        const fresh = answers.filter(({ version }) => version === NEW).length
        expect(fresh, `of ${SAMPLE} at ${percent}%`).toBeGreaterThanOrEqual(least)
        expect(fresh, `of ${SAMPLE} at ${percent}%`).toBeLessThanOrEqual(most)
      },
      async testers(count) {
        // Not before: the gateway takes turns, and whoever asks each fifth time gets the same turn each time.
        plane.send([anybody, tester])
        return (await plane.next('tester', count)).map(({ version }) => version)
      },
      async ends(version) {
        await place.untouched()
        await routesAll(version)
        const answers = await plane.next('anybody', SAMPLE / 2)
        expect(new Set(answers.map(each => each.version))).toEqual(new Set([version]))
      },
      nobodyFailed() {
        const failures = plane.answers.slice(from).filter(({ failure }) => failure !== undefined)
        expect(failures).toEqual([])
        // Also between two requests.
        const nowhere = plane.nowhere.slice(told).filter(({ backend }) => isOwn(backend))
        expect(nowhere).toEqual([])
        answered(place)
      },
    }
  }

  test('a release by 10, 30, 60 and 100% of the requests', async () => {
    const shares = [10, 30, 60, 100]
    const replicas = [1, 3, 6, 9]
    const moving = shares.map((share, i) => ({ replicas: replicas[i], traffic: `${share}%` }))
    const { story, ...scene } = await open({ steps: [...moving, { replicas: '100%' }] })
    await scene.meets(0)
    await story.edit(NEW)
    for (const [index, share] of shares.entries()) {
      await story.reached(index + 1)
      await scene.meets(share)
      await story.approve()
    }
    await story.phase('Healthy')
    await stand(story, { [NEW]: 10 })
    await scene.ends(NEW)
    scene.nobodyFailed()
  })

  test('a rollback at half of the requests', async () => {
    const steps = [{ replicas: '50%', traffic: '50%' }, { replicas: '100%' }]
    const { story, ...scene } = await open({ steps })
    await story.edit(NEW)
    await story.reached(1)
    await scene.meets(50)
    await story.edit(OLD)
    await story.phase('Healthy')
    await stand(story, { [OLD]: 10 })
    await scene.ends(OLD)
    scene.nobodyFailed()
  })

  test('a header that is matched, exactly', async () => {
    const matches = [{ headers: [{ name: 'user', value: 'tester' }] }]
    const { story, ...scene } = await open({ steps: [{ replicas: 1, matches }, { replicas: 1 }] })
    expect(new Set(await scene.testers(1))).toEqual(new Set([OLD]))
    await story.edit(NEW)
    await story.reached(1)
    await scene.meets(0)
    expect(new Set(await scene.testers(SAMPLE / 2))).toEqual(new Set([NEW]))
    await story.edit(OLD)
    await story.phase('Healthy')
    await scene.ends(OLD)
    expect(new Set(await scene.testers(SAMPLE / 2))).toEqual(new Set([OLD]))
    scene.nobodyFailed()
  })

  test('a blue-green switch', async () => {
    const steps = ['0%', '100%'].map(traffic => ({ replicas: '100%', traffic }))
    const { story, ...scene } = await open({ blueGreen: true, steps })
    await story.edit(NEW)
    await story.reached(1)
    await scene.meets(0)
    await story.approve()
    await story.reached(2)
    await scene.meets(100)
    await story.approve()
    await story.phase('Healthy')
    await stand(story, { [NEW]: 10 })
    await scene.ends(NEW)
    scene.nobodyFailed()
  })

  test('an uninstallation in the middle of a release', async () => {
    const { story, ...scene } = await open({
      steps: [{ replicas: 2, traffic: '30%' }, { replicas: 3 }],
    })
    await story.edit(NEW)
    await story.reached(1)
    await scene.meets(30)
    const { namespace, name } = lease
    const ours = [`--namespace=${namespace}`, `--lease-name=${name}`, '--traffic=yes']
    await uninstall(routed.world.cluster, ours, { timeoutMs: 200_000 })
    await stand(story, { [NEW]: 10 })
    await scene.ends(NEW)
    scene.nobodyFailed()
  })
})
