// The Deployment that runs the new pods of another one's release: a copy of it with the new template. Its
// pods carry all labels of the others, so Services reach them, and one more, by which it selects them:
// neither of the two could ever take the other's ReplicaSets for its own, orphaned ones included.

import { CANARY_DEPLOYMENT, CANARY_RELEASE } from '#api/names.ts'
import type { Deployment, DeploymentSpec, PodTemplate } from '#api/kubernetes.ts'
import { canaryName, cut } from './canary-name.ts'
import type { CanaryWorkload } from './canary-view.ts'
import { restoreDeployment } from './deployment-fields.ts'
import type { PodMetadata } from './model.ts'

/** Labels are at most so long. */
const LABEL_LENGTH = 63

/** The Deployment of `replicas` new pods. It ends with its owner, or by our hand. */
export function canaryOf(w: CanaryWorkload, replicas: number, metadata?: PodMetadata): Deployment {
  const { ref, uid, hold, seen } = w
  const { apiVersion, kind, namespace, name } = ref
  const release = hold!.rolloutId
  const { spec } = restoreDeployment(
    { apiVersion, kind, metadata: { name }, spec: seen.spec },
    { ...seen.owner, paused: false },
  )
  const selector = selecting(spec.selector as Selector, release)
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {
      namespace,
      name: canaryName(name, release),
      labels: { [CANARY_DEPLOYMENT]: cut(name, LABEL_LENGTH) },
      ownerReferences: [{ apiVersion, kind, name, uid, controller: true }],
    },
    spec: { ...spec, replicas, selector, template: patched(spec, selector, metadata) },
  }
}

interface Selector {
  readonly matchLabels?: Readonly<Record<string, string>>
}

function selecting(selector: Selector, release: string): Selector {
  return { ...selector, matchLabels: { ...selector.matchLabels, [CANARY_RELEASE]: release } }
}

/** What pods are selected by cannot be patched away: the API server would refuse the Deployment. */
function patched(
  { template }: DeploymentSpec,
  selector: Selector,
  { labels, annotations }: PodMetadata = {},
): PodTemplate {
  const own = { ...template.metadata }
  const all = { ...own.annotations, ...annotations }
  return {
    ...template,
    metadata: {
      ...own,
      labels: { ...own.labels, ...labels, ...selector.matchLabels },
      ...(Object.keys(all).length > 0 && { annotations: all }),
    },
  }
}

/** Names and labels end with a letter or a digit. */
