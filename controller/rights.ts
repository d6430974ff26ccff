// What the controller needs to be allowed; the roles of the chart say the same, and a test compares them.

import { GROUP, KRUISE_WEBHOOKS, OWN_SCRIPTS } from '#api/names.ts'
import { groupOf } from '#core/ref.ts'
import type { KindRef } from '#core/ref.ts'
import { addedRouters, newestRouters } from '#core/traffic/registry.ts'
import type { Router } from '#core/traffic/router.ts'
import { rightsOf } from '#process/rights.ts'
import type { Right, Rule } from '#process/rights.ts'
import type { ControllerConfig } from './config.ts'

const workloads: readonly Rule[] = [
  { group: GROUP, resources: ['rollouts'], verbs: ['list', 'watch'] },
  { group: GROUP, resources: ['rollouts/status'], verbs: ['update'] },
  {
    group: 'apps',
    resources: ['deployments', 'replicasets', 'statefulsets', 'daemonsets'],
    verbs: ['list', 'watch', 'patch'],
  },
  { group: 'apps', resources: ['controllerrevisions'], verbs: ['list', 'watch'] },
  { group: 'apps', resources: ['deployments/status'], verbs: ['patch'] },
  {
    group: 'apps.kruise.io',
    resources: ['clonesets', 'daemonsets', 'statefulsets'],
    verbs: ['list', 'watch', 'patch'],
  },
  { group: '', resources: ['pods'], verbs: ['list', 'watch', 'patch'] },
  { group: '', resources: ['events'], verbs: ['create'] },
]

/** Only to take finalizers of Kruise Rollouts off. */
const takingOff: Rule = { group: GROUP, resources: ['rollouts'], verbs: ['patch'] }

/** Only to let pods come again at another version. */
const deleting: Rule = { group: '', resources: ['pods'], verbs: ['delete'] }

/** Only to let new pods run in a second one. */
const makingDeployments: Rule = {
  group: 'apps',
  resources: ['deployments'],
  verbs: ['create', 'delete'],
}

/** Only to move requests. */
const routing: readonly Rule[] = [
  { group: '', resources: ['services'], verbs: ['list', 'watch', 'patch', 'create', 'delete'] },
  { group: 'discovery.k8s.io', resources: ['endpointslices'], verbs: ['list', 'watch'] },
  ...newestRouters.map(routeRule),
]

/** Only to follow TrafficRoutings. */
const routings: readonly Rule[] = [
  { group: GROUP, resources: ['trafficroutings'], verbs: ['list', 'watch'] },
  { group: GROUP, resources: ['trafficroutings/status'], verbs: ['update'] },
]

/** What is needed for that. */
export function rightsToRoutings(namespaces: readonly string[] | undefined): readonly Right[] {
  return rightsOf(routings, namespaces)
}

/** What is made beside the owner's is taken away, too. */
function routeRule({ apiVersion, plural, makes }: Router): Rule {
  const verbs = ['list', 'watch', 'patch', ...(makes ? ['create', 'delete'] : [])]
  return { group: groupOf({ apiVersion }), resources: [plural], verbs }
}

/** What is needed to move requests by objects of a kind. */
export function rightsToRoutes(
  router: Router,
  namespaces: readonly string[] | undefined,
): readonly Right[] {
  return rightsOf([routeRule(router)], namespaces)
}

/** What is needed to read the users' own scripts, which lie beside us. */
export function rightsToScripts(namespace: string): readonly Right[] {
  const verbs = ['list', 'watch']
  return rightsOf([{ group: '', resources: ['configmaps'], verbs, name: OWN_SCRIPTS }], [namespace])
}

/** What is needed to release workloads of a kind. */
export function rightsTo(
  { apiVersion, plural }: Pick<KindRef, 'apiVersion' | 'plural'>,
  namespaces: readonly string[] | undefined,
): readonly Right[] {
  const [group = ''] = apiVersion.split('/')
  return rightsOf([{ group, resources: [plural], verbs: ['list', 'watch', 'patch'] }], namespaces)
}

/** The rights of a controller. */
export function controllerRights(config: ControllerConfig): readonly Right[] {
  const { namespace, namespaces, configuration, leaseName } = config
  const registration = {
    group: 'admissionregistration.k8s.io',
    resources: ['mutatingwebhookconfigurations'],
    verbs: ['list', 'watch'],
    name: configuration,
  }
  const leases = { group: 'coordination.k8s.io', resources: ['leases'] }
  const asked = [
    ...(config.kruiseFinalizers === 'leave' ? [] : [takingOff]),
    ...(config.deletePods ? [deleting] : []),
    ...(config.makeDeployments ? [makingDeployments] : []),
    ...(config.routes ? [...routing, ...routings] : []),
  ]
  return [
    ...rightsOf([...workloads, ...asked], namespaces),
    ...(config.routes ? rightsToScripts(namespace) : []),
    ...(config.routes ? rightsOf(addedRouters(config.routeKinds).map(routeRule), namespaces) : []),
    ...config.extraKinds.flatMap(kind => rightsTo(kind, namespaces)),
    ...rightsOf([registration, { ...registration, name: KRUISE_WEBHOOKS }]),
    ...rightsOf(
      [
        { ...leases, verbs: ['get', 'update'], name: leaseName },
        { ...leases, verbs: ['create'] },
      ],
      [namespace],
    ),
  ]
}
