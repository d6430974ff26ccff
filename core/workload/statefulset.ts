// `apps/v1` StatefulSet: held by its partition.

import { partitioned } from './partitioned.ts'

export const statefulSet = partitioned({
  apiVersion: 'apps/v1',
  kind: 'StatefulSet',
  plural: 'statefulsets',
})
