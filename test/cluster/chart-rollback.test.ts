// `helm rollback` to a revision from before the CRD had a second version: Rollouts stay as they are, and the
// conversion goes.

import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeAll, expect, test } from 'vitest'

import { createAuthority } from '#certs/authority.ts'
import { injectConversion } from '#certs/inject.ts'
import { KubeClient } from '#kube/client.ts'
import { fromKubeconfig } from '#kube/kubeconfig.ts'
import { CUSTOM_RESOURCES, ROLLOUTS_DEFINITION } from '#kube/resources.ts'
import { blocks, read, section } from '../docs/markdown.ts'
import { CHART, at } from './chart-place.ts'
import { helm, helm3, kubectl } from './commands.ts'
import { startControlPlane } from './control-plane.ts'
import type { ControlPlane } from './control-plane.ts'
import { obey } from './facts.ts'
import { ROLLOUT, rolloutOf } from './manifests.ts'
import { untilServed } from './served.ts'

let cluster: ControlPlane
let client: KubeClient
/** The chart as it was. */
let older: string
beforeAll(async () => {
  cluster = await startControlPlane({ progress: () => {} })
  client = new KubeClient(await fromKubeconfig(cluster.kubeconfig))
  older = await mkdtemp(join(tmpdir(), 'sluice-chart-'))
  await cp(CHART, older, { recursive: true })
  const file = join(older, 'templates', 'crds.yaml')
  const crd = await readFile(file, 'utf8')
  const without = crd
    .replace(/^ {2}conversion:\n(?: {4}.*\n)+/m, '')
    .replace(/^ {4}- name: v1alpha1\n(?: {6}.*\n)+/m, '')
  expect(without.length).toBeLessThan(crd.length * 0.9)
  await writeFile(file, without)
})
afterAll(async () => {
  await client?.close()
  await cluster?.stop()
  await rm(older, { recursive: true, force: true })
})

async function definition() {
  const { spec, status } = await client.get(CUSTOM_RESOURCES, { name: ROLLOUTS_DEFINITION })
  const { versions: each } = spec as typeof spec & { readonly versions: readonly Named[] }
  const versions = each.map(({ name }) => name)
  return { conversion: spec.conversion, versions, stored: status?.storedVersions }
}

interface Named {
  readonly name: string
}

/** No webhook of ours is called there. */
const unguarded = 'kube-system'

test.each([
  ['Helm 3', helm3],
  ['Helm 4', helm],
] as const)('%s takes the CRD back to one version', async (name, run) => {
  await run(cluster, ['install', 'sluice', older, ...at, '--create-namespace'])
  await untilServed(cluster, ROLLOUTS_DEFINITION)
  const input = JSON.stringify(rolloutOf(unguarded, {}))
  await kubectl(cluster, ['create', '-f', '-'], { input })
  await run(cluster, ['upgrade', 'sluice', CHART, ...at])
  const { cert: caBundle } = await createAuthority({ now: Date.now(), days: 1 })
  const hosts = ['sluice-webhook.sluice-system.svc']
  const target = { definition: ROLLOUTS_DEFINITION, hosts, caBundle }
  expect(await injectConversion(client, target)).toBe('written')
  expect(await definition()).toMatchObject({
    conversion: { strategy: 'Webhook' },
    versions: ['v1beta1', 'v1alpha1'],
  })

  const rollback = ['rollback', 'sluice', '1', ...at]
  if (name === 'Helm 4') {
    // What the webhook has written there is not Helm's to take away.
    const { stderr } = await run(cluster, rollback, { expectFailure: true })
    expect(stderr).toContain('spec.conversion')
    const page = section(read('docs/install.md'), 'Back to an earlier revision')
    const [{ text } = { text: '' }] = blocks(page)
    await obey(cluster, text.split('\n')[0]!)
  }
  await run(cluster, rollback)
  expect(await definition()).toEqual({
    conversion: { strategy: 'None' },
    versions: ['v1beta1'],
    stored: ['v1beta1'],
  })
  const found = await kubectl(cluster, ['get', 'rollout', ROLLOUT, '-n', unguarded, '-o', 'name'])
  expect(found.stdout).toContain(ROLLOUT)

  await run(cluster, ['uninstall', 'sluice', ...at, '--no-hooks'])
  await kubectl(cluster, ['delete', 'crd', ROLLOUTS_DEFINITION])
})
