// `npm run demo`, as README begins with it: it checks itself, and a false claim ends it non-zero.

import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

import { expect, test } from 'vitest'

const main = fileURLToPath(new URL('../../demo/main.ts', import.meta.url))
const run = promisify(execFile)

test('the demo plays a release and a rollback, and leaves nothing running', async () => {
  const { stdout, stderr } = await run(process.execPath, [main, '--yes'])
  const told = [
    'step 1 of 3: 1 of 10 pods',
    'step 1: 1 of 10 pods are new',
    'step 2: 5 of 10 pods are new',
    'deployment "workload-demo" successfully rolled out',
    'rolling back to the stable template',
    'was as claimed',
  ]
  let from = 0
  for (const line of told) {
    const at = stdout.indexOf(line, from)
    expect(at, `${line}, in this order`).toBeGreaterThanOrEqual(from)
    from = at
  }
  const [, dir] = /starting in (\S+)/.exec(stderr) ?? []
  await expect(run('ls', [dir!])).rejects.toThrow('No such file')
})
