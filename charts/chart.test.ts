// What can be told of the chart without Helm: values, schema and README name the same values, and
// alerts and dashboard ask for metrics that exist.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'

import { parser } from '@prometheus-io/lezer-promql'
import { expect, test } from 'vitest'
import { parse } from 'yaml'

import { READY_REASONS } from '#api/names.ts'
import { dashboard } from './dashboard.ts'
import { readme } from './readme.ts'

const read = (path: string) => readFileSync(join(import.meta.dirname, path), 'utf8')
const valuesText = read('sluice/values.yaml')
const values = parse(valuesText) as Tree
const schema = JSON.parse(read('sluice/values.schema.json')) as Schema

const page = read('../docs/reference/metrics.md')
const rules = parse(read('sluice/monitoring/rules.yaml')) as readonly Group[]
const alerts = rules.flatMap(group => group.rules)
const { panels } = dashboard() as { readonly panels: readonly Panel[] }
const graphs = panels.flatMap(({ title, targets, fieldConfig }) =>
  targets.map(target => ({ title, ...target, unit: fieldConfig.defaults.unit })),
)

interface Panel {
  readonly title: string
  readonly gridPos: Readonly<Record<'x' | 'y' | 'w' | 'h', number>>
  readonly fieldConfig: { readonly defaults: { readonly unit: string } }
  readonly targets: readonly { readonly expr: string; readonly legendFormat: string }[]
}

type Tree = Readonly<Record<string, unknown>>
interface Schema {
  readonly additionalProperties?: unknown
  readonly properties?: Readonly<Record<string, Schema>>
}

test('the schema has every value, and no other', () => {
  expect(schemaPaths(schema).filter(path => path !== 'global')).toEqual(valuePaths(values, schema))
})

test('a value that the schema does not have is refused on every level', () => {
  const open = Object.entries(schema.properties!).filter(
    ([, inner]) => inner.properties && inner.additionalProperties !== false,
  )
  expect(open).toEqual([])
  expect(schema.additionalProperties).toBe(false)
})

test('the README has a row for every value', () => {
  const rows = [...readme(valuesText).matchAll(/^\| `([^`]+)` \|/gm)].map(([, path]) => path!)
  expect(rows.toSorted()).toEqual(valuePaths(values, schema))
})

test('a value without a comment would be missed', () => {
  expect(readme('# one\na: 1\nb: 2\n')).not.toContain('`b`')
})

test('alerts and dashboard ask for metrics that are counted', () => {
  const known = new Set([...page.matchAll(/^\| `(sluice_\w+)`/gm)].map(([, name]) => name!))
  const asked = `${read('sluice/monitoring/rules.yaml')}${JSON.stringify(dashboard())}`
  const names = [...asked.matchAll(/sluice_\w+/g)].map(([name]) => name)
  expect(new Set(names).size).toBeGreaterThan(10)
  const unknown = names.map(name => name.replace(/_(bucket|count)$/, ''))
  expect(unknown.filter(name => !known.has(name))).toEqual([])
})

interface Group {
  readonly rules: readonly { readonly alert: string; readonly expr: string }[]
}

test.each([
  ...alerts.map(({ alert, expr }) => [alert, expr]),
  ...graphs.map(({ title, expr }) => [title, expr]),
] as const)(
  '%s: Prometheus understands it, and its labels and their values are ours',
  (_, expr) => {
    const query = asked(expr)
    expect(textsOf(query, '⚠'), query).toEqual([])
    const selectors = textsOf(query, 'VectorSelector')
    expect(selectors.length).toBeGreaterThan(0)
    // Those of kube-state-metrics are theirs.
    if (!selectors.every(selector => selector.startsWith('sluice_'))) return
    for (const selector of selectors) {
      const labels = labelsOf(selector)
      for (const [, label, values = ''] of selector.matchAll(/(\w+)=~?"([^"]+)"/g)) {
        if (label === 'namespace') continue
        const names = [label, ...values.split('|')].map(name => `\`${name}\``)
        for (const name of names) expect(labels, selector).toContain(name)
      }
    }
    // Who scrapes adds namespace and pod; a histogram has its buckets.
    const known = `${selectors.map(labelsOf).join()} \`pod\` \`le\``
    for (const list of textsOf(query, 'GroupingLabels'))
      for (const [label] of list.matchAll(/\w+/g)) expect(known, query).toContain(`\`${label}\``)
  },
)

test.each(graphs.map(graph => [graph.title, graph.expr, graph] as const))(
  '%s: %s is drawn as what it is, with a legend of labels that it keeps',
  (_, expr, { legendFormat, unit }) => {
    const query = asked(expr)
    const kept = textsOf(query, 'GroupingLabels').flatMap(list => list.match(/\w+/g) ?? [])
    const told = [...legendFormat.matchAll(/{{(\w+)}}/g)].map(([, label]) => label!)
    expect(told, legendFormat).toEqual(kept.filter(label => label !== 'le'))
    // Of what only grows nobody reads the sum, and of what stands there is no rate.
    const counters = expr.match(/sluice_\w+_(total|count|bucket)/g) ?? []
    expect(expr.match(/(rate|increase)\(sluice_\w+_(total|count|bucket)/g) ?? []).toHaveLength(
      counters.length,
    )
    expect(expr.match(/(rate|increase)\(/g) ?? []).toHaveLength(counters.length)
    // A rate of seconds is a number of those that wait.
    const seconds = /_bucket|_timestamp_seconds/.test(expr)
    const perSecond = expr.includes('rate(') && !/wait_seconds|_bucket/.test(expr)
    expect(unit).toBe(seconds ? 's' : perSecond ? 'reqps' : 'short')
    // There may be several installations.
    for (const selector of textsOf(query, 'VectorSelector'))
      expect(selector).toContain('namespace=~"$namespace"')
  },
)

test('the dashboard fills its width, and no panel lies upon another', () => {
  const cells = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
    Array.from({ length: w * h }, (_, at) => `${x + (at % w)} ${y + Math.floor(at / w)}`),
  )
  const rows = Math.max(...panels.map(({ gridPos: { y, h } }) => y + h))
  expect(new Set(cells).size).toBe(cells.length)
  expect(cells).toHaveLength(24 * rows)
})

/** A query as Grafana asks it. */
function asked(expr: string): string {
  return expr.replaceAll('$__rate_interval', '5m')
}

/** What stands in a query under the nodes of a name. */
function textsOf(query: string, name: string): readonly string[] {
  const texts: string[] = []
  parser.parse(query).iterate({
    enter: node => {
      if (node.name === name) texts.push(query.slice(node.from, node.to))
    },
  })
  return texts
}

/** The cell of the page that has the labels of a selector's metric, and their values. */
function labelsOf(selector: string): string {
  const [name = ''] = /^\w+/.exec(selector) ?? []
  const metric = name.replace(/_(bucket|count)$/, '')
  const row = new RegExp(`^\\| \`${metric}\` +\\| \\w+ +\\| (.*?) +\\| `, 'm')
  return row.exec(page)?.[1] ?? ''
}

test('an alert for each row of the page that says when to worry', () => {
  const [, worry = ''] = page.split('## When to worry')
  const told = new Set([...worry.matchAll(/sluice_\w+/g)].map(([name]) => name))
  // Somebody else's writes are not an emergency: they are in the dashboard.
  told.delete('sluice_controller_conflicts_total')
  expect(told.size).toBeGreaterThan(7)
  expect([...told].filter(name => !alerts.some(({ expr }) => expr.includes(name)))).toEqual([])
})

test('an alert for every reason for which a Rollout does not do its work', () => {
  // Of these a person knows, or they end by themselves; a webhook that is away has an alert of its own.
  const calm = [
    'Guarding',
    'Releasing',
    'Aborted',
    'EditCaught',
    'WorkloadHeld',
    'WorkloadNotFound',
  ]
  const reasons = alerts.flatMap(({ expr }) =>
    [...expr.matchAll(/reason=~?"([^"]+)"/g)].flatMap(([, words = '']) => words.split('|')),
  )
  expect([...reasons, ...calm].toSorted()).toEqual(Object.keys(READY_REASONS).toSorted())
  // The same at a glance.
  const { expr = '' } = graphs.find(({ title }) => title === 'Rollouts that need somebody') ?? {}
  const [, shown = ''] = /reason=~"([^"]+)"/.exec(expr) ?? []
  expect(shown.split('|').toSorted()).toEqual(reasons.toSorted())
})

/** Paths of what the schema describes, down to what has no properties of its own. */
function schemaPaths({ properties = {} }: Schema, prefix = ''): readonly string[] {
  return Object.entries(properties)
    .flatMap(([key, inner]) =>
      inner.properties ? schemaPaths(inner, `${prefix}${key}.`) : `${prefix}${key}`,
    )
    .toSorted()
}

/** Paths of the values, as deep as the schema goes. */
function valuePaths(tree: Tree, { properties = {} }: Schema, prefix = ''): readonly string[] {
  return Object.entries(tree)
    .flatMap(([key, value]) => {
      const inner = properties[key]
      return inner?.properties
        ? valuePaths(value as Tree, inner, `${prefix}${key}.`)
        : `${prefix}${key}`
    })
    .toSorted()
}
