// What the README and docs/ point at is there.

import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'

import { expect, test } from 'vitest'

import { blocks, fragments, links, pages, read } from './markdown.ts'

const root = join(import.meta.dirname, '..', '..')
const { scripts } = JSON.parse(read('package.json')) as {
  readonly scripts: Readonly<Record<string, string>>
}

test('there are pages', () => {
  expect(pages()).toContain('README.md')
  expect(pages()).toContain('docs/releasing.md')
})

test.each(pages())('%s: every relative link leads somewhere', page => {
  const broken = links(read(page))
    .filter(target => !/^[a-z]+:/.test(target))
    .filter(target => !leadsSomewhere(page, target))
  expect(broken).toEqual([])
})

function leadsSomewhere(page: string, target: string): boolean {
  const [path = '', fragment] = target.split('#')
  const file = path === '' ? page : join(dirname(page), path)
  if (!existsSync(join(root, file))) return false
  return fragment === undefined || fragments(read(file)).includes(fragment)
}

test.each(pages())('%s: every npm script that it names exists', page => {
  const named = [...read(page).matchAll(/npm (?:run (?:-s )?([\w-]+)|(test)\b)/g)]
  const missing = named.map(([, script, test]) => script ?? test!).filter(name => !scripts[name])
  expect(missing).toEqual([])
})

test.each(pages())('%s: every code block says its language', page => {
  expect(blocks(read(page)).filter(({ language }) => language === '')).toEqual([])
})

test('every page can be reached from the README', () => {
  const reached = new Set(['README.md'])
  for (const page of reached) {
    for (const target of links(read(page))) {
      const file = join(dirname(page), target.split('#')[0]!)
      if (file.endsWith('.md') && existsSync(join(root, file))) reached.add(file)
    }
  }
  expect(pages().filter(page => !reached.has(page))).toEqual([])
})

test('the README opens with the two commands', () => {
  const [first] = blocks(read('README.md'))
  const commands = first!.text.split('\n').map(line => line.replace(/ +#.*$/, ''))
  expect(commands.filter(line => line !== '')).toEqual([
    'npm ci && npm run demo',
    'npm ci && npm test',
  ])
})

test('the README asks for the Node.js that package.json asks for', () => {
  const { engines } = JSON.parse(read('package.json')) as { readonly engines: { node: string } }
  const [, major] = /Node\.js (\d+)/.exec(read('README.md')) ?? []
  expect(`>=${major}`).toBe(engines.node)
})
