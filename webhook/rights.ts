// What the webhook needs to be allowed; the roles of the chart say the same, and a test compares them.

import { GROUP, KRUISE_WEBHOOKS } from '#api/names.ts'
import { groupOf } from '#core/ref.ts'
import type { KindRef } from '#core/ref.ts'
import { adaptersWith } from '#core/workload/registry.ts'
import { CUSTOM_RESOURCES, ROLLOUTS_DEFINITION } from '#kube/resources.ts'
import { rightsOf } from '#process/rights.ts'
import type { Right, Rule } from '#process/rights.ts'
import type { WebhookConfig } from './config.ts'

/** The rights of a webhook; one whose certificate somebody else keeps needs few. */
export function webhookRights(config: WebhookConfig): readonly Right[] {
  const { namespace, namespaces, configuration, extraKinds } = config
  const { certificateSecret, certificateDir } = config
  const looks = ['list', 'watch']
  const registration = {
    group: 'admissionregistration.k8s.io',
    resources: ['mutatingwebhookconfigurations', 'validatingwebhookconfigurations'],
    verbs: ['get', 'list', 'watch', 'patch'],
    name: configuration,
  }
  const definition = {
    group: 'apiextensions.k8s.io',
    resources: [CUSTOM_RESOURCES.plural],
    verbs: certificateDir === undefined ? registration.verbs : looks,
    name: ROLLOUTS_DEFINITION,
  }
  const foreign = { group: registration.group, resources: ['mutatingwebhookconfigurations'] }
  const secrets = { group: '', resources: ['secrets'] }
  const kept = certificateSecret === undefined ? [] : [certificateSecret]
  return [
    ...rightsOf([{ group: GROUP, resources: ['rollouts'], verbs: looks }], namespaces),
    ...rightsOf(adaptersWith(extraKinds).map(workloadRule), namespaces),
    ...rightsOf(certificateDir === undefined ? [registration, definition] : [definition]),
    ...rightsOf([{ ...foreign, verbs: looks, name: KRUISE_WEBHOOKS }]),
    ...kept.flatMap(name =>
      rightsOf(
        [
          { ...secrets, verbs: ['get', 'patch'], name },
          { ...secrets, verbs: ['create'] },
        ],
        [namespace],
      ),
    ),
  ]
}

/** Who writes a Rollout is told how the workload stands that it names. */
function workloadRule({ apiVersion, plural }: KindRef): Rule {
  return { group: groupOf({ apiVersion }), resources: [plural], verbs: ['get'] }
}
