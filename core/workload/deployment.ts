// `apps/v1` Deployment: held by budget, moved back by its ReplicaSets.

import type { Deployment } from '#api/kubernetes.ts'
import type { WorkloadAdapter } from './adapter.ts'
import { releaseWithout } from './beside.ts'
import { deploymentFields } from './deployment-admission.ts'
import { deploymentCatch } from './deployment-catch.ts'
import { deploymentLeaving } from './deployment-leaving.ts'
import { abort, advance, keep, rest } from './deployment-rules.ts'
import { seeDeployment } from './deployment-seen.ts'
import type { DeploymentSeen } from './deployment-seen.ts'
import { tellAborted } from './deployment-told.ts'
import { viewDeployment } from './deployment-view.ts'
import type { DeploymentWorkload } from './deployment-view.ts'
import { byTemplateHash } from './pod-version.ts'
import { movesWith, restore } from './moves.ts'

export const deployment: WorkloadAdapter<Deployment, DeploymentSeen, DeploymentWorkload> = {
  ...deploymentFields,
  ...deploymentLeaving,
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  plural: 'deployments',
  podVersion: byTemplateHash,
  style: 'partition',
  catch: deploymentCatch,
  see: (object, before) => seeDeployment(object, before),
  observe: viewDeployment,
  move: movesWith<DeploymentWorkload>({
    advance: (w, { pods }, now) => advance(w, pods, now),
    keep: (w, _, now) => keep(w, now),
    abort: (w, _, now) => abort(w, now),
    tellAborted: (w, { message }, now) => tellAborted(w, message, now),
    rest: (w, _, now) => restore(w) ?? rest(w, now),
    // The native rollback waits for nobody: broken pods of a ReplicaSet go first.
    unblock: () => undefined,
    release: (w, { promote }) => releaseWithout(w, promote),
  }),
}
