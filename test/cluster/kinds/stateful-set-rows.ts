// What the real controller-manager does with a StatefulSet that is released in steps, as it was measured. The
// stand-ins play the same rows: what they do is then no matter of belief.

import { edit, kill, onDelete, partition, rolling, scale, set, templateOf } from './rows.ts'
import type { Row } from './rows.ts'

const parallel = { podManagementPolicy: 'Parallel' }

/** Four pods by ordinal, `|`, the versions of currentRevision and updateRevision. */
export const statefulSetRows: readonly Row[] = [
  {
    what: 'a lower partition lets out the highest ordinals, one by one; a higher one takes none back',
    spec: rolling({ partition: 3 }),
    steps: [
      [edit('app:2'), '1 1 1 2 | 1 2'],
      [partition(1), '1 2 2 2 | 1 2'],
      [partition(3), '1 2 2 2 | 1 2'],
    ],
    fewest: 3,
  },
  {
    what: 'a pod that is deleted comes back old below the partition, new from it on',
    spec: rolling({ partition: 1 }),
    steps: [
      [edit('app:2'), '1 2 2 2 | 1 2'],
      [partition(3), '1 2 2 2 | 1 2'],
      [kill(1), '1 1 2 2 | 1 2'],
      [kill(0, 2, 3), '1 1 1 2 | 1 2'],
    ],
  },
  {
    what: 'the ordinals of a larger size come new from the partition on; a smaller size takes new ones first',
    spec: rolling({ partition: 3 }),
    steps: [
      [edit('app:2'), '1 1 1 2 | 1 2'],
      [scale(6), '1 1 1 2 2 2 | 1 2'],
      [scale(2), '1 1 | 1 2'],
      [scale(4), '1 1 1 2 | 1 2'],
    ],
  },
  {
    what: 'a partition beyond the size keeps all old, and what a larger size adds as far as it reaches',
    spec: rolling({ partition: 5 }),
    steps: [
      [edit('app:2'), '1 1 1 1 | 1 2'],
      [kill(3), '1 1 1 1 | 1 2'],
      [scale(6), '1 1 1 1 1 2 | 1 2'],
    ],
  },
  {
    what: 'scaled to 0 the old revision is forgotten: all come back new, whatever the partition',
    spec: rolling({ partition: 3 }),
    steps: [
      [edit('app:2'), '1 1 1 2 | 1 2'],
      [scale(0), ' | 2 2'],
      [scale(4), '2 2 2 2 | 2 2'],
    ],
  },
  {
    what: 'the old template takes back what is not below the partition, by itself',
    spec: rolling({ partition: 2 }),
    steps: [
      [edit('app:2'), '1 1 2 2 | 1 2'],
      [edit('app:1'), '1 1 1 1 | 1 1'],
    ],
    fewest: 3,
  },
  {
    what: 'the old template under a raised partition takes nothing back, but what is deleted',
    spec: rolling({ partition: 2 }),
    steps: [
      [edit('app:2'), '1 1 2 2 | 1 2'],
      [set({ ...rolling({ partition: 4 }), template: templateOf('app:1') }), '1 1 2 2 | 1 1'],
      [kill(3), '1 1 2 1 | 1 1'],
      [partition(0), '1 1 1 1 | 1 1'],
    ],
  },
  {
    what: 'a third template replaces the second one from the partition on; the old one stays the first',
    spec: rolling({ partition: 2 }),
    steps: [
      [edit('app:2'), '1 1 2 2 | 1 2'],
      [edit('app:3'), '1 1 3 3 | 1 3'],
      [kill(0), '1 1 3 3 | 1 3'],
    ],
  },
  {
    what: 'a third template with a raised partition leaves the second one; deleted, it comes back as the first',
    spec: rolling({ partition: 2 }),
    steps: [
      [edit('app:2'), '1 1 2 2 | 1 2'],
      [set({ ...rolling({ partition: 4 }), template: templateOf('app:3') }), '1 1 2 2 | 1 3'],
      [kill(3), '1 1 2 1 | 1 3'],
      [partition(3), '1 1 2 3 | 1 3'],
    ],
  },
  {
    what: 'a pod that is not Ready stops the way back, until it is deleted',
    spec: rolling({ partition: 3 }),
    steps: [
      [edit('broken:2'), '1 1 1 2! | 1 2'],
      [edit('app:1'), '1 1 1 2! | 1 1'],
      [kill(3), '1 1 1 1 | 1 1'],
    ],
  },
  {
    what: 'a pod that is not Ready stops a third template, a lower partition and a larger size as well',
    spec: rolling({ partition: 3 }),
    steps: [
      [edit('broken:2'), '1 1 1 2! | 1 2'],
      [edit('app:3'), '1 1 1 2! | 1 3'],
      [partition(1), '1 1 1 2! | 1 3'],
      [scale(5), '1 1 1 2! | 1 3'],
      [kill(0), '1 1 1 2! | 1 3'],
      [scale(3), '1 3 3 | 1 3'],
    ],
  },
  {
    what: 'deleted below a raised partition, a pod that is not Ready comes back old',
    spec: rolling({ partition: 3 }),
    steps: [
      [edit('broken:2'), '1 1 1 2! | 1 2'],
      [partition(4), '1 1 1 2! | 1 2'],
      [kill(3), '1 1 1 1 | 1 2'],
    ],
  },
  {
    what: 'Parallel: the update goes one by one all the same, and one that is not Ready stops it',
    spec: { ...parallel, ...rolling({ partition: 0 }) },
    steps: [
      [edit('app:2'), '2 2 2 2 | 2 2'],
      [edit('broken:3'), '2 2 2 3! | 2 3'],
    ],
    fewest: 3,
  },
  {
    what: 'Parallel: the way back replaces a pod that is not Ready by itself; so does a third template',
    spec: { ...parallel, ...rolling({ partition: 3 }) },
    steps: [
      [edit('broken:2'), '1 1 1 2! | 1 2'],
      [partition(1), '1 1 1 2! | 1 2'],
      [partition(3), '1 1 1 2! | 1 2'],
      [edit('broken:3'), '1 1 1 3! | 1 3'],
      [scale(5), '1 1 1 3! 3! | 1 3'],
      [edit('app:1'), '1 1 1 1 1 | 1 1'],
    ],
  },
  {
    what: 'when all are new and Ready, the new revision is the current one: a partition brings none back',
    spec: rolling({ partition: 0 }),
    steps: [
      [edit('app:2'), '2 2 2 2 | 2 2'],
      [partition(4), '2 2 2 2 | 2 2'],
      [kill(3), '2 2 2 2 | 2 2'],
    ],
  },
  {
    what: 'OnDelete: deleted pods come back new; the current revision stays, until it is RollingUpdate again',
    spec: onDelete,
    steps: [
      [edit('app:2'), '1 1 1 1 | 1 2'],
      [kill(1), '1 2 1 1 | 1 2'],
      [kill(0, 2, 3), '2 2 2 2 | 1 2'],
      [set(rolling({ partition: 0 })), '2 2 2 2 | 2 2'],
    ],
  },
]
