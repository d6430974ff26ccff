import { expect, test } from 'vitest'

import { deployment } from '#core/workload/deployment.ts'
import { adapters } from '#core/workload/registry.ts'
import { statefulSet } from '#core/workload/statefulset.ts'
import { UsageError, readArguments } from './arguments.ts'

const eject = {
  name: 'eject',
  adapters,
  everywhere: false,
  dryRun: false,
  keepRollouts: false,
  withAborted: false,
}

const web = { adapter: deployment, name: 'web' }
const db = { adapter: statefulSet, name: 'db' }

test.each([
  ['--help', { name: 'help' }],
  ['help', { name: 'help' }],
  ['eject deploy/web', { ...eject, workload: web }],
  ['eject deployments.apps/web -n shop', { ...eject, workload: web, namespace: 'shop' }],
  ['eject statefulset/db', { ...eject, workload: db }],
  ['eject sts/db', { ...eject, workload: db }],
  ['eject StatefulSets.v1.apps/db', { ...eject, workload: db }],
  ['eject -n shop --dry-run', { ...eject, namespace: 'shop', dryRun: true }],
  ['eject -A --with-aborted', { ...eject, everywhere: true, withAborted: true }],
  ['eject -A --keep-rollouts', { ...eject, everywhere: true, keepRollouts: true }],
  [
    'eject shard.databases.example.com/a --extra-kinds databases.example.com/v1/Shard=shards',
    {
      ...eject,
      adapters: expect.arrayContaining([expect.objectContaining({ kind: 'Shard' })]),
      workload: { adapter: expect.objectContaining({ plural: 'shards' }), name: 'a' },
    },
  ],
  ['adopt deployment/web --kubeconfig f', { name: 'adopt', workload: 'web', kubeconfig: 'f' }],
])('%s', (line, command) => {
  expect(readArguments(line.split(' '))).toEqual(command)
})

test.each([
  ['', 'no command: expected eject or adopt'],
  ['ejct', 'ejct: no such command: expected eject or adopt'],
  ['eject', 'eject: which? Give KIND/NAME, --namespace or --all-namespaces'],
  ['eject web', 'web: expected KIND/NAME'],
  [
    'eject job/a',
    'job/a: no kind that Sluice releases: expected deployment or statefulset or daemonset or statefulset.apps.kruise.io or cloneset.apps.kruise.io or daemonset.apps.kruise.io',
  ],
  ['eject deploy/a deploy/b', 'deploy/b: one workload at a time'],
  ['eject -A -n shop', '--all-namespaces: not together with --namespace'],
  ['eject -A deploy/web', '--all-namespaces: not together with deploy/web'],
  ['eject --dry', "Unknown option '--dry'"],
  ['adopt', 'adopt: which? Give deployment/NAME'],
  ['adopt sts/db', 'sts/db: adopt proposes Rollouts for Deployments alone: deployment/NAME'],
  ['adopt deploy/web --dry-run', '--dry-run: adopt does not know it'],
])('%s is not understood', (line, message) => {
  const words = line.split(' ').filter(word => word !== '')
  expect(() => readArguments(words)).toThrow(new UsageError(message))
})
