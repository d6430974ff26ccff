// The page of the older version names every field that only one of the versions has, so that the table cannot forget one.

import { expect, test } from 'vitest'
import { parse } from 'yaml'

import { read, section } from './markdown.ts'

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>
  readonly items?: Schema
}

interface Definition {
  readonly spec: {
    readonly versions: readonly {
      readonly name: string
      readonly schema: { readonly openAPIV3Schema: Schema }
    }[]
  }
}

const definition = parse(read('api/crds/rollouts.kruise.io_rollouts.yaml')) as Definition
const table = section(read('docs/reference/v1alpha1.md'), 'What is called differently')

test.each([
  ['v1alpha1', 'v1beta1', 1],
  ['v1beta1', 'v1alpha1', 2],
] as const)('fields of %s alone', (version, other, column) => {
  const there = new Set(paths(other))
  const alone = paths(version).filter(path => !there.has(path))
  expect(alone.length).toBeGreaterThan(2)
  const cells = table.split('\n').map(row => row.split('|')[column] ?? '')
  const untold = alone.filter(path => {
    const name = new RegExp(String.raw`\b${path.split('.').at(-1)}\b`)
    return !cells.some(cell => name.test(cell))
  })
  expect(untold).toEqual([])
})

/** The fields of a version, with the path that leads to each; those below one that differs do not count. */
function paths(version: string): readonly string[] {
  const found = definition.spec.versions.find(({ name }) => name === version)!
  return below(found.schema.openAPIV3Schema, '')
}

function below({ properties = {}, items }: Schema, path: string): readonly string[] {
  const own = Object.entries(properties).flatMap(([name, schema]) => {
    const at = path === '' ? name : `${path}.${name}`
    return name === 'workloadRef' ? [at] : [at, ...below(schema, at)]
  })
  return items ? [...own, ...below(items, path)] : own
}
