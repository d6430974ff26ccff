// The second line has no words: who sends what it catches would read nothing, as where no Rollout is. So a policy
// beside it, which sees what is about to be stored and only warns. A living webhook has undone the catch by then, or
// leaves what was caught before to the controller.

import { CAUGHT } from '#api/names.ts'
import { unansweredWarnings } from '#core/admission/warnings.ts'
import { annotated, guardedAlone, guardedNamespaces, workloads } from './configuration.ts'
import type { PolicyManifests, PolicyOptions } from './policy.ts'

/** The policy for all kinds, and its binding; of use wherever others catch, since it is the older feature. */
export function tellingPolicy({ name, ...scope }: PolicyOptions): PolicyManifests {
  const apiVersion = 'admissionregistration.k8s.io/v1'
  const [message] = unansweredWarnings()
  const caught = `(${annotated('object', CAUGHT)})`
  const before = `(${annotated('oldObject', CAUGHT)})`
  const expression = `!${caught} || (${before} && object.spec.template == oldObject.spec.template)`
  return {
    policy: {
      apiVersion,
      kind: 'ValidatingAdmissionPolicy',
      metadata: { name },
      spec: {
        matchConstraints: {
          matchPolicy: 'Equivalent',
          namespaceSelector: guardedNamespaces(scope),
          objectSelector: guardedAlone,
          resourceRules: workloads(scope, ['UPDATE']),
        },
        validations: [{ expression, message }],
        // It refuses nobody, whatever happens.
        failurePolicy: 'Ignore',
      },
    },
    binding: {
      apiVersion,
      kind: 'ValidatingAdmissionPolicyBinding',
      metadata: { name },
      spec: { policyName: name, validationActions: ['Warn'] },
    },
  }
}
