// Rules by which requests are moved, and the source without each.

import type { Rule } from './rule.ts'

const moves = 'core/traffic/moves.ts'
const histories = 'test/properties/requests.test.ts'
const movesTest = 'core/traffic/moves.test.ts'
const leavingTest = 'cli/requests.test.ts'

/** A row for each. */
export const trafficRules: readonly Rule[] = [
  [
    'before new pods leave, every gateway has seen that they get no requests',
    moves,
    '[unsplit, unsplitSeen, graced]',
    '[unsplit, graced]',
    histories,
  ],
  [
    'requests under way get their grace period',
    moves,
    '[unsplit, unsplitSeen, graced]',
    '[unsplit, unsplitSeen]',
    movesTest,
  ],
  [
    'requests are sent to new pods once one of them answers',
    moves,
    'canaryMade, canaryServes, splitWritten',
    'canaryMade, splitWritten',
    histories,
  ],
  [
    'the Service leaves new pods out before the first one starts',
    moves,
    'othersAway, pinnedToStable, stableAlone]',
    'othersAway]',
    histories,
  ],
  [
    'new pods leave after their requests',
    moves,
    'stable: [unpinnedFromNew, ...away]',
    'stable: [unpinnedFromNew]',
    histories,
  ],
  [
    'in the end the Service selects as its owner wrote',
    moves,
    'all: [...free, ...away]',
    'all: away',
    histories,
  ],
  [
    'the Service of new pods has the ports of the stable one',
    moves,
    'equalJson(portsOf(canary) ?? [], ports)',
    'true',
    movesTest,
  ],
  [
    'of a workload that is gone the Service is freed last',
    moves,
    'routed.pods ? rules[aim.to] : gone',
    'rules[aim.to]',
    leavingTest,
  ],
  [
    'an owner gets back what he wants by now',
    'core/traffic/wish.ts',
    'return was ? provider.ownerOf(value, was) : value',
    'return was ? was.owner : value',
    leavingTest,
  ],
]
