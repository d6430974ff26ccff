// `apps/v1` Deployment with its new pods in a second one: held by a pause.

import type { Deployment } from '#api/kubernetes.ts'
import type { WorkloadAdapter } from './adapter.ts'
import { releaseWithout } from './beside.ts'
import { canaryFields } from './canary-admission.ts'
import { canaryNameOf } from './canary-name.ts'
import { abort, advance, keep } from './canary-rules.ts'
import { seeCanary, viewCanary } from './canary-view.ts'
import type { CanarySeen, CanaryWorkload } from './canary-view.ts'
import { deploymentCatch } from './deployment-catch.ts'
import { deploymentLeaving } from './deployment-leaving.ts'
import { rest } from './deployment-rules.ts'
import { tellAborted } from './deployment-told.ts'
import { byTemplateHash } from './pod-version.ts'
import { movesWith, restore } from './moves.ts'

export const canaryDeployment: WorkloadAdapter<Deployment, CanarySeen, CanaryWorkload> = {
  ...canaryFields,
  ...deploymentLeaving,
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  plural: 'deployments',
  podVersion: byTemplateHash,
  style: 'canary',
  catch: deploymentCatch,
  besideName: canaryNameOf,
  see: seeCanary,
  observe: viewCanary,
  move: movesWith<CanaryWorkload>({
    advance: (w, wish, now) => advance(w, wish, now),
    keep: (w, _, now) => keep(w, now),
    abort: (w, _, now) => abort(w, now),
    tellAborted: (w, { message }, now) => tellAborted(w, message, now),
    rest: (w, _, now) => restore(w) ?? rest(w, now),
    unblock: () => undefined,
    release: (w, { promote }) => releaseWithout(w, promote),
  }),
}
