// A setting that is wrong is one line, which names the flag and says what is expected.

import { expect, test } from 'vitest'

import { readConfig as readControllerConfig } from '../controller/config.ts'
import { readConfig } from './config.ts'

test('without flags there are defaults, and names come from the pod', () => {
  expect(readConfig([], { POD_NAMESPACE: 'guards' })).toMatchObject({
    namespace: 'guards',
    configuration: 'sluice',
    hosts: ['sluice-webhook'],
    caDays: 365,
    servingDays: 90,
  })
})

test('lifetimes are days', () => {
  const config = readConfig(['--ca-days=30', '--certificate-days=30'], {})
  expect(config).toMatchObject({ caDays: 30, servingDays: 30 })
})

const flags: readonly (readonly [string, string])[] = [
  ['--port=http', '--port: expected a whole number from 0 to 65535, got http'],
  ['--ca-days=0', '--ca-days: expected a whole number from 1 to 3650, got 0'],
  ['--certificate-days=366', '--certificate-days: expected a whole number from 1 to 365, got 366'],
  ['--hosts=', '--hosts: expected DNS names or addresses with commas between, got ""'],
  ['--hosts=a.svc,b c', '--hosts: expected DNS names or addresses with commas between, got "b c"'],
  ['--certificate-dir=', '--certificate-dir: expected a folder, got ""'],
  ['--certificate-secret=', '--certificate-secret: expected the name of an object'],
  ['--namespaces=shop,Stock', '--namespaces: expected the name of an object'],
  ['--configuration=a/b', '--configuration: expected the name of an object'],
  [
    '--log-level=loud',
    '--log-level: expected one of trace, debug, info, warn, error, fatal, silent',
  ],
]

test.each(flags)('%s is refused', (flag, words) => {
  expect(() => readConfig([flag], {})).toThrow(words)
})

test('a certificate of ours and one of somebody else are not both served', () => {
  const both = ['--certificate-secret=a', '--certificate-dir=/b']
  expect(() => readConfig(both, {})).toThrow('--certificate-dir: with --certificate-secret')
})

test.each([
  ['--lease-name=', '--lease-name: expected the name of an object'],
  ['--lease-seconds=1', '--lease-seconds: expected a whole number from 2 to 3600, got 1'],
  ['--concurrency=all', '--concurrency: expected a whole number from 1 to 1000, got all'],
])('of a controller: %s is refused', (flag, words) => {
  expect(() => readControllerConfig([flag], {})).toThrow(words)
})
