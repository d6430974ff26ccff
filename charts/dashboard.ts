// The Grafana dashboard: rows of panels, each a question and the queries that answer it.

/** One line of a graph. */
interface Query {
  readonly expr: string
  /** The legend; `{{label}}` stands for the value of a label. */
  readonly legend: string
}

interface Panel {
  readonly title: string
  readonly description: string
  readonly unit: string
  readonly queries: readonly Query[]
}

const width = 12
const height = 8

const panels: readonly Panel[] = [
  {
    title: 'Releases that ended',
    description: 'By outcome. One that was aborted and then rolled back counts in both.',
    unit: 'short',
    queries: [
      {
        expr: 'sum by (outcome) (increase(sluice_controller_releases_total[$__rate_interval]))',
        legend: '{{outcome}}',
      },
    ],
  },
  {
    title: 'Edits that were held',
    description: 'Each begins a release, or goes on in one with another version.',
    unit: 'short',
    queries: [
      {
        expr: 'sum(increase(sluice_webhook_held_edits_total[$__rate_interval]))',
        legend: 'held edits',
      },
    ],
  },
  {
    title: 'Rollouts in a step',
    description: 'How many let pods out now, and how many wait in the pause of a step.',
    unit: 'short',
    queries: [waiting('InRolling', 'letting pods out'), waiting('StepPaused', 'in a pause')],
  },
  {
    title: 'Rollouts that wait, by reason',
    description: 'The reasons are those of the conditions of a Rollout.',
    unit: 'short',
    queries: [
      {
        expr: 'sum by (reason) (rate(sluice_controller_wait_seconds_total[$__rate_interval])) > 0',
        legend: '{{reason}}',
      },
    ],
  },
  {
    title: 'Admission latency',
    description: 'From a parsed review to its answer. The API server gives up after 3 s.',
    unit: 's',
    queries: [0.5, 0.99].map(share => ({
      expr: quantile(share, 'sluice_webhook_review_seconds_bucket'),
      legend: `p${share * 100}`,
    })),
  },
  {
    title: 'Reviews',
    description: 'By outcome. `bug` and `malformed` are never ordinary.',
    unit: 'reqps',
    queries: [
      {
        expr: 'sum by (outcome) (rate(sluice_webhook_reviews_total[$__rate_interval]))',
        legend: '{{outcome}}',
      },
    ],
  },
  {
    title: 'Writes of the controller',
    description: 'Conflicts were decided again.',
    unit: 'reqps',
    queries: [
      {
        expr: 'sum by (kind) (rate(sluice_controller_writes_total[$__rate_interval]))',
        legend: '{{kind}}',
      },
      {
        expr: 'sum(rate(sluice_controller_conflicts_total[$__rate_interval]))',
        legend: 'conflicts',
      },
    ],
  },
  {
    title: 'The queue of the leader',
    description: 'Workloads that could be decided about now, and decisions under way.',
    unit: 'short',
    queries: [
      { expr: 'max(sluice_controller_queue_depth)', legend: 'could be decided' },
      { expr: 'max(sluice_controller_queue_running)', legend: 'under way' },
    ],
  },
  {
    title: 'Who leads',
    description: 'Exactly one replica does. With none, held workloads stay as they are.',
    unit: 'short',
    queries: [{ expr: 'sum by (pod) (sluice_controller_leader)', legend: '{{pod}}' }],
  },
  {
    title: 'Days until the certificate ends',
    description: 'It is renewed at two thirds of its life, by itself.',
    unit: 'd',
    queries: [
      {
        expr: '(min(sluice_webhook_certificate_expiry_timestamp_seconds) - time()) / 86400',
        legend: 'days',
      },
    ],
  },
]

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
    templating: {
      list: [{ name: 'datasource', label: 'Data source', type: 'datasource', query: 'prometheus' }],
    },
    panels: panels.map(({ title, description, unit, queries }, index) => ({
      id: index + 1,
      type: 'timeseries',
      title,
      description,
      datasource,
      gridPos: {
        x: (index % 2) * width,
        y: Math.floor(index / 2) * height,
        w: width,
        h: height,
      },
      fieldConfig: { defaults: { unit, min: 0, custom: { fillOpacity: 10 } }, overrides: [] },
      options: { legend: { displayMode: 'list', placement: 'bottom', showLegend: true } },
      targets: queries.map(({ expr, legend }, at) => ({
        refId: String.fromCodePoint(65 + at),
        datasource,
        expr,
        legendFormat: legend,
      })),
    })),
  }
}

const datasource = { type: 'prometheus', uid: '${datasource}' }

function waiting(reason: string, legend: string): Query {
  const series = `sluice_controller_wait_seconds_total{reason="${reason}"}`
  return { expr: `sum(rate(${series}[$__rate_interval]))`, legend }
}

function quantile(share: number, buckets: string): string {
  return `histogram_quantile(${share}, sum by (le) (rate(${buckets}[$__rate_interval])))`
}
