// `apps.kruise.io` StatefulSet: like the native one, and with an owner's pause, a minimum of ready seconds
// and an update without an order in its strategy.

import { partitioned } from './partitioned.ts'
import { likeStatefulSet } from './statefulset.ts'
import { takenForFinished } from './stock-clients.ts'

export const kruiseStatefulSet = partitioned({
  ...likeStatefulSet,
  apiVersion: 'apps.kruise.io/v1beta1',
  otherVersions: ['apps.kruise.io/v1alpha1'],
  kind: 'StatefulSet',
  plural: 'statefulsets',
  deceived: takenForFinished,
  unholdable({ reserveOrdinals, updateStrategy }) {
    const gaps = (reserveOrdinals?.length ?? 0) > 0
    if (!gaps || updateStrategy?.rollingUpdate?.unorderedUpdate) return undefined
    return 'its reserveOrdinals leave gaps between the ordinals of its pods, by which a partition counts'
  },
})
