// Every rule by which a workload is held has a test that fails when the rule is taken out. A row of
// the tables says how it is taken out of the source, and which test file must notice.

import { execFile } from 'node:child_process'
import { mkdtemp, readFile, realpath, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative, sep } from 'node:path'

import { afterAll, beforeAll, expect, test } from 'vitest'

import { admissionRules } from './admission-rules.ts'
import { backwardRules } from './backward-rules.ts'
import { blueGreenRules } from './blue-green-rules.ts'
import { bundle, top } from './bundle.ts'
import { canaryRules } from './canary-rules.ts'
import { daemonRules } from './daemon-rules.ts'
import { fieldRules } from './field-rules.ts'
import { forwardRules } from './forward-rules.ts'
import { partitionRules } from './partition-rules.ts'
import { trafficRules } from './traffic-rules.ts'

const rules = [
  ...forwardRules,
  ...backwardRules,
  ...fieldRules,
  ...admissionRules,
  ...partitionRules,
  ...daemonRules,
  ...canaryRules,
  ...blueGreenRules,
  ...trafficRules,
]
const testFiles = [...new Set(rules.map(([, , , , file]) => file))]
/** A test file with all that it tests in it; of a rule: without that one. */
const bundleOf = (file: string, rule?: number) =>
  join(rule === undefined ? 'whole' : `without-${rule}`, file.replace(/\.ts$/, '.mjs'))

interface TestFile {
  /** Absolute path. */
  readonly name: string
  /** Why it did not run at all. */
  readonly message: string
  readonly assertionResults: readonly {
    readonly status: string
    readonly failureMessages: readonly string[]
  }[]
}

let folder: string
let results: ReadonlyMap<string, TestFile>
/** Rules that are not found in the source any more. */
const lost = new Map<string, unknown>()

beforeAll(async () => {
  // Where the temporary folder is a link, results would not be found by its name.
  folder = await realpath(await mkdtemp(join(tmpdir(), 'sluice-mutants-')))
  await symlink(join(top, 'node_modules'), join(folder, 'node_modules'))
  for (const file of testFiles) await bundle(file, join(folder, bundleOf(file)))
  for (const [i, [rule, file, text, instead, testFile]] of rules.entries()) {
    const bundled = bundle(testFile, join(folder, bundleOf(testFile, i)), { file, text, instead })
    await bundled.catch(error => lost.set(rule, error))
  }
  results = await run()
})

afterAll(() => rm(folder, { recursive: true }))

/** One run for all of them: starting costs more than the tests do. */
async function run(): Promise<ReadonlyMap<string, TestFile>> {
  const output = join(folder, 'results.json')
  const vitest = join(top, 'node_modules', 'vitest', 'vitest.mjs')
  const options = ['--pool=threads', '--no-isolate', '--reporter=json', `--outputFile=${output}`]
  // A machine that is busy with other things has noticed nothing either.
  const args = [vitest, 'run', '--root', folder, '--testTimeout=60000', ...options]
  const env = Object.entries(process.env).filter(([key]) => !key.startsWith('VITEST'))
  await new Promise<void>(resolve => {
    // It fails, as it is meant to: what matters is in the output.
    const child = execFile(process.execPath, args, { cwd: folder, env: Object.fromEntries(env) })
    child.once('close', () => resolve())
  })
  const { testResults } = JSON.parse(await readFile(output, 'utf8')) as {
    readonly testResults: readonly TestFile[]
  }
  return new Map(
    testResults.map(each => [relative(folder, each.name).split(sep).join('/'), each] as const),
  )
}

test.each(testFiles)('%s passes with all rules in place', file => {
  const { assertionResults } = results.get(bundleOf(file))!
  expect(assertionResults.length).toBeGreaterThan(0)
  const statuses = new Set(assertionResults.map(({ status }) => status))
  // Of a contract, what does not concern the one who is asked is skipped.
  statuses.delete('skipped')
  expect(statuses).toEqual(new Set(['passed']))
})

test.each(rules.map(([rule, , , , file], i) => ({ rule, path: bundleOf(file, i) })))(
  'a test fails without: $rule',
  ({ rule, path }) => {
    if (lost.has(rule)) throw lost.get(rule)
    const { message, assertionResults } = results.get(path)!
    // A file that cannot be loaded has noticed nothing.
    expect(assertionResults.length, message).toBeGreaterThan(0)
    const failures = assertionResults.flatMap(({ failureMessages }) => failureMessages)
    expect(failures.join('\n')).toMatch(/AssertionError|Property failed/)
  },
)
