import { expect, test } from 'vitest'

import { UsageError, readArguments } from './arguments.ts'

const eject = {
  name: 'eject',
  everywhere: false,
  dryRun: false,
  keepRollouts: false,
  withAborted: false,
}

test.each([
  ['--help', { name: 'help' }],
  ['help', { name: 'help' }],
  ['eject deploy/web', { ...eject, workload: 'web' }],
  ['eject deployments.apps/web -n shop', { ...eject, workload: 'web', namespace: 'shop' }],
  ['eject -n shop --dry-run', { ...eject, namespace: 'shop', dryRun: true }],
  ['eject -A --with-aborted', { ...eject, everywhere: true, withAborted: true }],
  ['eject -A --keep-rollouts', { ...eject, everywhere: true, keepRollouts: true }],
  ['adopt deployment/web --kubeconfig f', { name: 'adopt', workload: 'web', kubeconfig: 'f' }],
])('%s', (line, command) => {
  expect(readArguments(line.split(' '))).toEqual(command)
})

test.each([
  ['', 'no command: expected eject or adopt'],
  ['ejct', 'ejct: no such command: expected eject or adopt'],
  ['eject', 'eject: which? Give deployment/NAME, --namespace or --all-namespaces'],
  ['eject web', 'web: expected deployment/NAME'],
  ['eject statefulset/db', 'statefulset/db: only Deployments can be named here: deployment/NAME'],
  ['eject deploy/a deploy/b', 'deploy/b: one Deployment at a time'],
  ['eject -A -n shop', '--all-namespaces: not together with --namespace'],
  ['eject -A deploy/web', '--all-namespaces: not together with deploy/web'],
  ['eject --dry', "Unknown option '--dry'"],
  ['adopt', 'adopt: which? Give deployment/NAME'],
  ['adopt deploy/web --dry-run', '--dry-run: adopt does not know it'],
])('%s is not understood', (line, message) => {
  const words = line.split(' ').filter(word => word !== '')
  expect(() => readArguments(words)).toThrow(new UsageError(message))
})
