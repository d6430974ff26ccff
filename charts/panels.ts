// What the Grafana dashboard shows: each panel is a question and the queries that answer it.

/** One line of a graph, or one number. */
export interface Query {
  /** Every metric that it names is asked of the installation that the reader has chosen. */
  readonly expr: string
  /** The legend; `{{label}}` stands for the value of a label. */
  readonly legend: string
}

export interface Panel {
  readonly title: string
  readonly description: string
  readonly unit: string
  readonly queries: readonly Query[]
}

/** One number of now, with the colours of its values, from the lowest up. */
export interface Figure extends Panel {
  readonly colours: readonly (readonly [from: number | null, colour: string])[]
  /** What to show instead of the numbers 0 and 1. */
  readonly words?: readonly [string, string]
}

/** What happened, or stood, over time. */
export interface Graph extends Panel {
  /** Single happenings are counted in bars, each once; what lasts is a line. */
  readonly bars?: true
}

/** Reasons for which a Rollout waits until somebody acts. */
const stuck = [
  'Conflict',
  'Escaped',
  'FieldsDropped',
  'HoldRefused',
  'KindNotRegistered',
  'KindNotServed',
  'KindUnread',
  'KruiseRunning',
  'LeftByKruise',
  'NotGuarding',
  'NotHoldable',
  'ProgressDeadlineExceeded',
  'RequestsBlocked',
  'Unsupported',
]

/** What is to be read at a glance. */
export const figures: readonly Figure[] = [
  {
    title: 'Rollouts in the pause of a step',
    description: 'They wait for an approval, or until the time of the pause is over.',
    unit: 'short',
    queries: [waiting('reason="StepPaused"', 'in a pause')],
    colours: [[null, 'blue']],
  },
  {
    title: 'Rollouts that need somebody',
    description: 'They go on when somebody acts: the message of their condition Ready says how.',
    unit: 'short',
    queries: [waiting(`reason=~"${stuck.join('|')}"`, 'need somebody')],
    colours: [
      [null, 'green'],
      [0.5, 'red'],
    ],
  },
  {
    title: 'Leaders',
    description: 'Exactly one. With none, held workloads stay as they are.',
    unit: 'short',
    queries: [{ expr: 'sum(sluice_controller_leader)', legend: 'leaders' }],
    colours: [
      [null, 'red'],
      [1, 'green'],
      [2, 'red'],
    ],
  },
  {
    title: 'Webhook',
    description: 'Whether the API server reaches it, as the controllers ask it.',
    unit: 'short',
    queries: [{ expr: 'min(sluice_controller_webhook_reached)', legend: 'reached' }],
    colours: [
      [null, 'red'],
      [1, 'green'],
    ],
    words: ['not reached', 'reached'],
  },
  {
    title: 'Certificate ends in',
    description: 'It is renewed at two thirds of its life, by itself.',
    unit: 's',
    queries: [
      {
        expr: 'min(sluice_webhook_certificate_expiry_timestamp_seconds) - time()',
        legend: 'left',
      },
    ],
    colours: [
      [null, 'red'],
      [7 * 86_400, 'green'],
    ],
  },
  {
    title: 'Bugs in the last hour',
    description: 'Reviews and decisions that failed inside. The log has each.',
    unit: 'short',
    queries: [
      {
        expr:
          'sum(increase(sluice_webhook_bugs_total[1h]))' +
          ' + sum(increase(sluice_controller_decision_seconds_count{outcome="error"}[1h]))',
        legend: 'bugs',
      },
    ],
    colours: [
      [null, 'green'],
      [0.5, 'red'],
    ],
  },
]

/** What has happened. */
export const graphs: readonly Graph[] = [
  {
    title: 'Releases that ended',
    description:
      'By outcome; a bar is five minutes, or more where the range is long. One that was aborted and then rolled back counts in both.',
    unit: 'short',
    bars: true,
    queries: [
      {
        expr: 'round(sum by (outcome) (increase(sluice_controller_releases_total[$__rate_interval]))) > 0',
        legend: '{{outcome}}',
      },
    ],
  },
  {
    title: 'Edits that were held',
    description:
      'A bar is five minutes, or more where the range is long. Each edit begins a release, or goes on in one with another version.',
    unit: 'short',
    bars: true,
    queries: [
      {
        expr: 'round(sum(increase(sluice_webhook_held_edits_total[$__rate_interval])))',
        legend: 'held edits',
      },
    ],
  },
  {
    title: 'Rollouts in a step',
    description: 'How many let pods out now, and how many wait in the pause of a step.',
    unit: 'short',
    queries: [
      waiting('reason="InRolling"', 'letting pods out'),
      waiting('reason="StepPaused"', 'in a pause'),
    ],
  },
  {
    title: 'Rollouts that wait, by reason',
    description: 'How many at a time. The reasons are those of the conditions of a Rollout.',
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
        expr: 'sum by (kind) (rate(sluice_controller_writes_total[$__rate_interval])) > 0',
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
    title: 'Watches that failed',
    description: 'The API server was not reached, or refused. Each is begun again by itself.',
    unit: 'short',
    bars: true,
    queries: ['controller', 'webhook'].map(process => ({
      expr: `round(sum(increase(sluice_${process}_watch_events_total{what="failed"}[$__rate_interval])))`,
      legend: process,
    })),
  },
]

/** How many Rollouts wait for that now. */
function waiting(selector: string, legend: string): Query {
  const series = `sluice_controller_wait_seconds_total{${selector}}`
  return { expr: `sum(rate(${series}[$__rate_interval]))`, legend }
}

function quantile(share: number, buckets: string): string {
  return `histogram_quantile(${share}, sum by (le) (rate(${buckets}[$__rate_interval])))`
}
