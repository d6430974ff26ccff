// The page of metrics has every metric of both processes with its labels and their values, and no other.

import { afterAll, expect, test } from 'vitest'

import { createMetrics as controllerMetrics } from '../../controller/metrics.ts'
import { createMetrics as webhookMetrics } from '../../webhook/metrics.ts'
import { read, section } from './markdown.ts'

const page = read('docs/reference/metrics.md')
const registries = {
  Webhook: webhookMetrics().registry,
  Controller: controllerMetrics().registry,
}
afterAll(() => Object.values(registries).forEach(registry => registry.clear()))

interface Metric {
  readonly type: string
  readonly labels: Readonly<Record<string, readonly string[]>>
}

test.each(['Webhook', 'Controller'] as const)(
  '%s: the page says what is counted',
  async heading => {
    const told = rows(section(page, heading))
    const counted = await metricsOf(heading)
    expect(Object.keys(counted).length).toBeGreaterThan(5)
    expect(told).toEqual(counted)
  },
)

test('what one is told to watch is counted', async () => {
  const all = { ...(await metricsOf('Webhook')), ...(await metricsOf('Controller')) }
  const named = [
    ...section(page, 'When to worry').matchAll(/(sluice_\w+)(?:{(\w+)(=~?)"([^"]+)")?/g),
  ]
  expect(named.length).toBeGreaterThan(5)
  for (const [, name = '', label, , value = ''] of named) {
    const metric = all[name.replace(/_(count|bucket)$/, '')]
    expect(metric, name).toBeDefined()
    if (label === undefined) continue
    expect(metric?.labels[label], name).toEqual(expect.arrayContaining(value.split(String.raw`\|`)))
  }
})

test('names follow the conventions of Prometheus', async () => {
  const all = { ...(await metricsOf('Webhook')), ...(await metricsOf('Controller')) }
  for (const [name, { type }] of Object.entries(all)) {
    expect(name.endsWith('_total'), name).toBe(type === 'counter')
    expect(name.endsWith('_seconds'), name).toBe(
      type === 'histogram' || name.includes('_timestamp_'),
    )
  }
})

async function metricsOf(heading: keyof typeof registries) {
  const metrics: Record<string, Metric> = {}
  for (const { name, type, values } of await registries[heading].getMetricsAsJSON()) {
    if (!name.startsWith('sluice_')) continue
    const labels: Record<string, Set<string>> = {}
    for (const [label, value] of values.flatMap(each => Object.entries(each.labels))) {
      if (label !== 'le') (labels[label] ??= new Set()).add(String(value))
    }
    metrics[name] = { type: String(type), labels: sorted(labels) }
  }
  return metrics
}

function rows(text: string): Readonly<Record<string, Metric>> {
  const found = [...text.matchAll(/^\| `(\w+)` +\| (\w+) +\| (.*?) +\| /gm)]
  return Object.fromEntries(
    found.map(([, name, type = '', cell = '']) => [name, { type, labels: labelsIn(cell) }]),
  )
}

/** Of a cell such as "`kind`: `pod`, `event`; `outcome`: `ok`". */
function labelsIn(cell: string): Metric['labels'] {
  if (cell === '-') return {}
  const labels = cell.split('; ').map(each => {
    const [label = '', values = ''] = each.split(': ')
    return [label.replaceAll('`', ''), values.replaceAll('`', '').split(', ')] as const
  })
  return sorted(Object.fromEntries(labels))
}

function sorted(labels: Readonly<Record<string, Iterable<string>>>): Metric['labels'] {
  const entries = Object.entries(labels).map(
    ([name, each]) => [name, [...each].toSorted()] as const,
  )
  return Object.fromEntries(entries)
}
