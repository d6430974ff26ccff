// The pages about requests are run, as the other guides are, where Sluice may move them.

import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { HTTP_ROUTES, NAMESPACES } from '#kube/resources.ts'
import { examplesOf, runExample, startReader } from './docs-examples.ts'
import type { Promises } from './docs-kruise.ts'
import { pods } from './facts.ts'
import { GRPC_ROUTES, serveRoutes, startGateway } from './gateway.ts'
import type { Gateway } from './gateway.ts'
import { serveMesh } from './mesh.ts'
import { createStory } from './story.ts'
import type { Story } from './story.ts'
import { startWorld } from './world.ts'
import type { World } from './world.ts'

const namespace = 'docs'
let world: World
let gateways: readonly Gateway[] = []
let story: Story
beforeAll(async () => {
  world = await startWorld({ traffic: true })
  await serveMesh(world.client)
  for (const type of [HTTP_ROUTES, GRPC_ROUTES]) {
    await serveRoutes(world.client, type)
    gateways = [...gateways, await startGateway(world.client, type)]
  }
  const metadata = { name: namespace }
  await world.client.create(NAMESPACES, { apiVersion: 'v1', kind: 'Namespace', metadata })
  story = await createStory({ ...world, namespace })
  await startReader(world.cluster, namespace)
})
afterAll(async () => {
  for (const gateway of gateways) gateway.stop()
  await world?.stop()
})

/** Nothing that was made for a release is there. */
async function nothingBeside(s: Story): Promise<void> {
  const { stdout } = await s.kubectl(['get', 'service,ingress', '-o', 'name'])
  expect(stdout).not.toContain('-canary')
}

const pages: readonly (readonly [page: string, promises: Promises])[] = [
  [
    'docs/traffic.md',
    {
      'one-service-edit': async s => {
        await pods(s, { 'deli:1': 5, 'deli:2': 1 })
        await nothingBeside(s)
      },
      'one-service-gone': s => pods(s, { 'deli:1': 0, 'deli:2': 0 }),
      'routing-edit': async s => {
        await pods(s, { 'deli:1': 5, 'deli:2': 1 })
        await nothingBeside(s)
      },
      'routing-gone': s => pods(s, { 'deli:1': 0, 'deli:2': 0 }),
    },
  ],
  [
    'docs/ingress.md',
    {
      'ingress-edit': s => pods(s, { 'shop:1': 4, 'shop:2': 1 }),
      'ingress-approve': s => pods(s, { 'shop:1': 3, 'shop:2': 2 }),
      'ingress-back': async s => {
        await pods(s, { 'shop:1': 5, 'shop:2': 0 })
        await nothingBeside(s)
      },
      'ingress-gone': s => pods(s, { 'shop:1': 0 }),
      'script-edit': s => pods(s, { 'shop:1': 4, 'shop:2': 1 }),
      'script-gone': s => pods(s, { 'shop:1': 0, 'shop:2': 0 }),
    },
  ],
  [
    'docs/gateway-api.md',
    {
      'route-edit': s => pods(s, { 'cafe:1': 4, 'cafe:2': 1 }),
      'route-approve': s => pods(s, { 'cafe:1': 3, 'cafe:2': 2 }),
      'route-end': async s => {
        await pods(s, { 'cafe:1': 0, 'cafe:2': 5 })
        await nothingBeside(s)
      },
      'route-gone': s => pods(s, { 'cafe:2': 0 }),
      'grpc-edit': s => pods(s, { 'carts:1': 4, 'carts:2': 1 }),
      'grpc-gone': s => pods(s, { 'carts:1': 0, 'carts:2': 0 }),
    },
  ],
  [
    'docs/istio.md',
    {
      'mesh-edit': s => pods(s, { 'bistro:1': 4, 'bistro:2': 1 }),
      'mesh-approve': s => pods(s, { 'bistro:1': 3, 'bistro:2': 2 }),
      'mesh-end': async s => {
        await pods(s, { 'bistro:1': 0, 'bistro:2': 5 })
        await nothingBeside(s)
      },
      'mesh-gone': s => pods(s, { 'bistro:2': 0 }),
    },
  ],
]

describe.each(pages)('%s', (page, promises) => {
  const examples = examplesOf(page)

  test('each example promises something', () => {
    expect(examples.map(({ name }) => name)).toEqual(Object.keys(promises))
  })

  test.each(examples)('$name', async example => {
    await runExample(world.cluster, example)
    await promises[example.name]!(story)
  })
})
