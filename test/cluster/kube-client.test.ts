// The client against a real API server: every kind of write, and every kind of refusal.

import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'

import { KubeClient } from '#kube/client.ts'
import type { Connection } from '#kube/connection.ts'
import { AlreadyExists, Conflict, Invalid, NotFound } from '#kube/errors.ts'
import { fromKubeconfig } from '#kube/kubeconfig.ts'
import { DEPLOYMENTS } from '#kube/resources.ts'
import { configMap, CONFIG_MAPS, newNamespace } from './reflections.ts'

const warnings: string[] = []
let connection: Connection
let client: KubeClient

beforeAll(async () => {
  connection = await fromKubeconfig(inject('cluster').kubeconfig)
  client = new KubeClient(connection, { onWarning: text => warnings.push(text) })
})
afterAll(() => client.close())

describe('requests', () => {
  test('every kind of write arrives, and reads give the whole object', async () => {
    const namespace = await newNamespace(client)
    const ref = { namespace, name: 'one' }
    const made = await client.create(CONFIG_MAPS, configMap(namespace, 'one', { a: '1' }))
    expect(made.metadata.uid).toBeDefined()
    await client.mergePatch(CONFIG_MAPS, ref, { data: { b: '2' } })
    await client.jsonPatch(CONFIG_MAPS, ref, [{ op: 'add', path: '/data/c', value: '3' }])
    const options = { fieldManager: 'test', force: true }
    await client.apply(CONFIG_MAPS, configMap(namespace, 'one', { d: '4' }), options)
    await client.strategicPatch(CONFIG_MAPS, ref, { data: { e: '5' } })
    const now = await client.get(CONFIG_MAPS, ref)
    expect(now.data).toEqual({ a: '1', b: '2', c: '3', d: '4', e: '5' })
    const replaced = await client.replace(CONFIG_MAPS, { ...now, data: { z: '9' } })
    expect(replaced.data).toEqual({ z: '9' })
    await client.mergePatch(CONFIG_MAPS, ref, { data: { z: 'dry' } }, { dryRun: true })
    expect((await client.get(CONFIG_MAPS, ref)).data).toEqual({ z: '9' })
    await client.remove(CONFIG_MAPS, ref)
    await expect(client.get(CONFIG_MAPS, ref)).rejects.toBeInstanceOf(NotFound)
  })

  test('each refusal is its own error', async () => {
    const namespace = await newNamespace(client)
    const ref = { namespace, name: 'one' }
    const made = await client.create(CONFIG_MAPS, configMap(namespace, 'one'))
    await client.mergePatch(CONFIG_MAPS, ref, { data: { changed: 'meanwhile' } })

    const { resourceVersion } = made.metadata
    await expect(client.replace(CONFIG_MAPS, made)).rejects.toBeInstanceOf(Conflict)
    const stale = { metadata: { resourceVersion }, data: {} }
    await expect(client.mergePatch(CONFIG_MAPS, ref, stale)).rejects.toBeInstanceOf(Conflict)
    await expect(client.remove(CONFIG_MAPS, ref, { uid: 'other' })).rejects.toBeInstanceOf(Conflict)
    await expect(
      client.remove(CONFIG_MAPS, ref, { resourceVersion: resourceVersion! }),
    ).rejects.toBeInstanceOf(Conflict)
    const again = client.create(CONFIG_MAPS, configMap(namespace, 'one'))
    await expect(again).rejects.toBeInstanceOf(AlreadyExists)
    await expect(client.remove(CONFIG_MAPS, { namespace, name: 'no' })).rejects.toBeInstanceOf(
      NotFound,
    )

    const empty = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { namespace, name: 'x' },
      spec: { selector: { matchLabels: { a: 'b' } }, template: {} },
    }
    const error: unknown = await client.create(DEPLOYMENTS, empty).catch((each: unknown) => each)
    expect(error).toBeInstanceOf(Invalid)
    const fields = (error as Invalid).causes.map(cause => cause.field)
    expect(fields).toContain('spec.template.spec.containers')
  })

  test('warnings of the API server reach the callback', async () => {
    const namespace = await newNamespace(client)
    const spec = {
      replicas: 0,
      selector: { matchLabels: { a: 'b' } },
      template: {
        metadata: { labels: { a: 'b' } },
        spec: { containers: [{ name: 'c', image: 'i', unknownField: 1 }] },
      },
    }
    const metadata = { namespace, name: 'warned' }
    await client.create(DEPLOYMENTS, { apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec })
    expect(warnings).toContain('unknown field "spec.template.spec.containers[0].unknownField"')
  })
})
