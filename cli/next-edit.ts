// What admission would answer to the next edit, in its own words: it is asked about one.

import type { Deployment } from '#api/kubernetes.ts'
import type { Rollout } from '#api/rollout.generated.ts'
import { reviewWorkload } from '#core/admission/review.ts'
import { rolloutOf } from '#core/rollout/parse.ts'
import { deployment as adapter } from '#core/workload/deployment.ts'
import { holdOf } from '#core/workload/hold.ts'
import type { WorkloadAdapter } from '#core/workload/adapter.ts'

/** The warnings at an edit of the template, with the Rollout in place. */
export function nextEdit(before: Deployment, rollout: Rollout): readonly string[] {
  const { template } = before.spec
  const annotations = { ...template.metadata?.annotations, edited: 'true' }
  const edited = { ...template, metadata: { ...template.metadata, annotations } }
  const { warnings, object } = reviewWorkload({
    adapter: adapter as unknown as WorkloadAdapter,
    object: { ...before, spec: { ...before.spec, template: edited } } as Deployment,
    before,
    rollout: rolloutOf(rollout),
    fromController: false,
  })
  // The release of an edit that nobody has made has no name yet; an abort takes any value that is new.
  const release = holdOf(object)?.rolloutId
  return warnings.map(line => (release ? line.replaceAll(release, '$(date +%s)') : line))
}
