// The Grafana dashboard: figures at the top, graphs below.

import { figures, graphs } from './panels.ts'
import type { Figure, Graph, Panel, Query } from './panels.ts'

/** Makes the dashboard, as Grafana imports it. */
export function dashboard(): object {
  return {
    uid: 'sluice',
    title: 'Sluice',
    description: 'Releases of workloads: what is held, what waits and why.',
    tags: ['sluice'],
    schemaVersion: 39,
    editable: true,
    refresh: '30s',
    time: { from: 'now-6h', to: 'now' },
    templating: { list: [dataSources, installations] },
    panels: [...figures.map(figurePanel), ...graphs.map(graphPanel)].map((panel, index) => ({
      id: index + 1,
      ...panel,
    })),
  }
}

const datasource = { type: 'prometheus', uid: '${datasource}' }
const dataSources = {
  name: 'datasource',
  label: 'Data source',
  type: 'datasource',
  query: 'prometheus',
}

/** There may be more than one, each for namespaces of its own. */
const installations = {
  name: 'namespace',
  label: 'Installed in',
  type: 'query',
  datasource,
  query: { query: 'label_values(sluice_controller_leader, namespace)', refId: 'namespaces' },
  refresh: 2,
  sort: 1,
  includeAll: true,
  // Who scrapes by hand may have no such label.
  allValue: '.*',
  current: { text: 'All', value: '$__all' },
}

/** Grafana divides its width so. */
const columns = 24
const figureHeight = 4
const graphHeight = 8

function figurePanel(panel: Figure, index: number): object {
  const width = columns / figures.length
  return {
    type: 'stat',
    ...said(panel),
    gridPos: { x: index * width, y: 0, w: width, h: figureHeight },
    fieldConfig: {
      defaults: {
        unit: panel.unit,
        // What is counted by its rate is no whole number for a moment.
        ...(panel.unit === 'short' && { decimals: 0 }),
        color: { mode: 'thresholds' },
        thresholds: {
          mode: 'absolute',
          steps: panel.colours.map(([value, color]) => ({ value, color })),
        },
        mappings: panel.words ? [{ type: 'value', options: mapped(panel.words) }] : [],
      },
      overrides: [],
    },
    options: {
      colorMode: 'background',
      graphMode: 'none',
      reduceOptions: { calcs: ['lastNotNull'], fields: '', values: false },
    },
    targets: panel.queries.map((query, at) => ({
      ...target(query, at),
      instant: true,
      range: false,
    })),
  }
}

function mapped(words: readonly [string, string]): object {
  return Object.fromEntries(words.map((text, value) => [value, { text, index: value }]))
}

function graphPanel(panel: Graph, index: number): object {
  const width = columns / 2
  const drawn = panel.bars
    ? { drawStyle: 'bars', fillOpacity: 60, stacking: { mode: 'normal', group: 'A' } }
    : { drawStyle: 'line', fillOpacity: 10 }
  return {
    type: 'timeseries',
    ...said(panel),
    // One bar is for so long; where it is shorter than the rate's interval each happening stands in several.
    ...(panel.bars && { interval: '5m' }),
    gridPos: {
      x: (index % 2) * width,
      y: figureHeight + Math.floor(index / 2) * graphHeight,
      w: width,
      h: graphHeight,
    },
    fieldConfig: {
      defaults: { unit: panel.unit, min: 0, custom: drawn },
      overrides: [],
    },
    options: {
      legend: { displayMode: 'list', placement: 'bottom', showLegend: true },
      tooltip: { mode: 'multi', sort: 'desc' },
    },
    targets: panel.queries.map(target),
  }
}

function said({ title, description }: Panel): object {
  return { title, description, datasource }
}

function target({ expr, legend }: Query, index: number): object {
  return {
    refId: String.fromCodePoint(65 + index),
    datasource,
    expr: inChosen(expr),
    legendFormat: legend,
  }
}

/** The same of the installation that the reader has chosen. */
function inChosen(expr: string): string {
  return expr.replaceAll(/(sluice_\w+)(?:\{(.*?)\})?/g, (_, name: string, labels?: string) => {
    const all = [...(labels === undefined ? [] : [labels]), 'namespace=~"$namespace"']
    return `${name}{${all.join(', ')}}`
  })
}
