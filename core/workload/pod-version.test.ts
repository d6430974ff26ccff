import { expect, test } from 'vitest'

import { CONTROLLER_REVISION, POD_TEMPLATE_HASH } from '#api/names.ts'
import { rows } from './registry.ts'

/** What a pod of the revision is labelled with, as it is told of the kind. */
const labels: Readonly<Record<string, readonly [string, revision: string, value: string]>> = {
  Deployment: [POD_TEMPLATE_HASH, '5d4f', '5d4f'],
  CloneSet: [POD_TEMPLATE_HASH, 'web-5d4f', '5d4f'],
  StatefulSet: [CONTROLLER_REVISION, 'web-5d4f', 'web-5d4f'],
  DaemonSet: [CONTROLLER_REVISION, '5d4f', '5d4f'],
}

test.each(rows)(
  '$apiVersion $kind, $style: its pods tell their version',
  ({ kind, podVersion }) => {
    const [label, revision, value] = labels[kind]!
    expect([podVersion.label, podVersion.valueOf(revision), podVersion.valueOf('')]).toEqual([
      label,
      value,
      '',
    ])
  },
)
