// What roles grant is compared with what an audit log says that was asked: both a right that lacks and one
// that nobody uses are found.

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { expect, onTestFinished, test } from 'vitest'
import { lacking, requestsOf } from '../cluster/rights.ts'
import type { Right } from '../cluster/rights.ts'
import { neverUsed, noteOf } from '../cluster/run-rights.ts'

const controller = { namespace: 'default', name: 'sluice-dev-controller' }
const rights: readonly Right[] = [
  { resource: 'apps/deployments', verb: 'patch' },
  { resource: '/pods', verb: 'list' },
  { resource: '/pods', verb: 'watch' },
  { resource: 'coordination.k8s.io/leases', verb: 'get', name: 'sluice-dev-controller' },
]

/** One request of a ServiceAccount in the shop, as the API server notes it. */
function event(verb: string, what: string, code: number, name = 'controller') {
  const [apiGroup, resource, subresource] = what.split('/')
  return {
    verb,
    requestURI: `/${what}`,
    user: { username: `system:serviceaccount:default:sluice-dev-${name}` },
    objectRef: { apiGroup, resource, subresource, namespace: 'shop', name: 'web' },
    responseStatus: { code },
  }
}

async function asked(...events: readonly object[]) {
  const dir = await mkdtemp(join(tmpdir(), 'sluice-audit-'))
  onTestFinished(() => rm(dir, { recursive: true }))
  const file = join(dir, 'audit.log')
  await writeFile(file, events.map(each => `${JSON.stringify(each)}\n`).join(''))
  return requestsOf(file, controller)
}

test('what was refused and no role grants is lacking, once, with verb and resource', async () => {
  const requests = await asked(
    event('update', 'rollouts.kruise.io/rollouts/status', 403),
    event('update', 'rollouts.kruise.io/rollouts/status', 403),
    event('delete', 'apps/deployments', 403),
    // Another's.
    event('create', '/secrets', 403, 'webhook'),
    // The API server had not read the roles yet.
    event('patch', 'apps/deployments', 403),
    event('list', '/pods', 200),
  )
  expect(lacking(rights, requests)).toEqual([
    'update rollouts.kruise.io/rollouts/status',
    'delete apps/deployments',
  ])
})

test('what was granted in one cluster may be used in another; what none uses is one too many', async () => {
  const one = noteOf(controller, rights, await asked(event('patch', 'apps/deployments', 403)))
  const another = noteOf(
    { namespace: 'sluice-system', name: 'sluice-controller' },
    rights.map(each => (each.name === undefined ? each : { ...each, name: 'sluice-controller' })),
    await asked(event('list', '/pods', 200), event('patch', 'apps/deployments', 409)),
  )
  expect(neverUsed([one])).toEqual([
    'controller: get coordination.k8s.io/leases sluice-controller',
    'controller: list /pods',
    'controller: patch apps/deployments',
    'controller: watch /pods',
  ])
  expect(neverUsed([one, another])).toEqual([
    'controller: get coordination.k8s.io/leases sluice-controller',
    'controller: watch /pods',
  ])
  expect(neverUsed([])).toEqual([])
})
