// A HorizontalPodAutoscaler that has no metrics, as on a machine without them: what it does is keep
// the size between its two bounds, through the scale subresource as always.

import type { Story } from './story.ts'
import { WORKLOAD } from './manifests.ts'

/** The workload is scaled by the controller-manager's own autoscaler, to a size within the bounds. */
export async function autoscaled(story: Story, min: number, max: number): Promise<void> {
  const scaleTargetRef = { apiVersion: 'apps/v1', kind: 'Deployment', name: WORKLOAD }
  const target = { type: 'Utilization', averageUtilization: 80 }
  const metrics = [{ type: 'Resource', resource: { name: 'cpu', target } }]
  const manifest = {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata: { name: WORKLOAD },
    spec: { scaleTargetRef, minReplicas: min, maxReplicas: max, metrics },
  }
  await story.kubectl(['apply', '-f', '-'], { input: JSON.stringify(manifest) })
  await story.until(`${min} to ${max} replicas`, async () => {
    const replicas = (await story.deployment()).spec.replicas ?? 1
    return replicas >= min && replicas <= max
  })
}
