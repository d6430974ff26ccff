// What a user may do, as the roles bound to it say, and what it did, as the audit log says: the two must be
// the same, since a right that is not used is one too many.

import type { KubeObject } from '#api/kubernetes.ts'
import type { KubeClient } from '#kube/client.ts'
import { resource } from '#kube/resources.ts'
import type { Right as Needed } from '#process/rights.ts'
import { auditLines } from './audit-log.ts'

/** A rule of a role. */
interface Rule {
  readonly apiGroups: readonly string[]
  readonly resources: readonly string[]
  readonly resourceNames?: readonly string[]
  readonly verbs: readonly string[]
}

/** One right: a verb on a resource, everywhere or in one namespace, for all objects or for one. */
export interface Right {
  /** Such as `apps/deployments` and `/pods`. */
  readonly resource: string
  readonly verb: string
  readonly namespace?: string
  readonly name?: string
}

/** A ServiceAccount. */
export interface Account {
  readonly namespace: string
  readonly name: string
}

/** One request, as the audit log has it. */
export interface Request {
  readonly resource: string
  readonly verb: string
  readonly namespace: string
  readonly name: string
  readonly code: number
  readonly uri: string
}

interface Role extends KubeObject {
  readonly rules: readonly Rule[]
}

interface Binding extends KubeObject {
  readonly roleRef: { readonly kind: string; readonly name: string }
  readonly subjects?: readonly {
    readonly kind: string
    readonly name: string
    readonly namespace?: string
  }[]
}

const group = 'rbac.authorization.k8s.io/v1'
const clusterRoles = resource<Role>(group, 'clusterroles', 'ClusterRole', false)
const roles = resource<Role>(group, 'roles', 'Role')
const clusterBindings = resource<Binding>(group, 'clusterrolebindings', 'ClusterRoleBinding', false)
const bindings = resource<Binding>(group, 'rolebindings', 'RoleBinding')

/** An audit policy that notes every request of ServiceAccounts of a namespace, reads included. */
export function auditPolicy(namespace: string): string {
  return JSON.stringify({
    apiVersion: 'audit.k8s.io/v1',
    kind: 'Policy',
    omitStages: ['RequestReceived'],
    rules: [
      { level: 'Metadata', userGroups: [`system:serviceaccounts:${namespace}`] },
      { level: 'None' },
    ],
  })
}

/** The rights of a ServiceAccount, by the roles that are bound to it. */
export async function rightsOf(client: KubeClient, account: Account): Promise<readonly Right[]> {
  const mine = ({ subjects = [] }: Binding) =>
    subjects.some(
      ({ kind, name, namespace }) =>
        kind === 'ServiceAccount' && name === account.name && namespace === account.namespace,
    )
  const everywhere = (await client.listAll(clusterBindings, {})).items.filter(mine)
  const here = (await client.listAll(bindings, {})).items.filter(mine)
  const rights: Right[] = []
  for (const { roleRef } of everywhere) {
    const { rules } = await client.get(clusterRoles, { name: roleRef.name })
    rights.push(...rules.flatMap(rule => expand(rule)))
  }
  for (const { roleRef, metadata } of here) {
    const namespace = metadata.namespace ?? ''
    const { kind, name } = roleRef
    const { rules } =
      kind === 'Role'
        ? await client.get(roles, { namespace, name })
        : await client.get(clusterRoles, { name })
    rights.push(...rules.flatMap(rule => expand(rule, namespace)))
  }
  return rights
}

/** Every right of a rule by itself. */
function expand(rule: Rule, namespace?: string): readonly Right[] {
  const names = rule.resourceNames ?? [undefined]
  return rule.apiGroups.flatMap(apiGroup =>
    rule.resources.flatMap(plural =>
      rule.verbs.flatMap(verb =>
        names.map(name => ({
          resource: `${apiGroup}/${plural}`,
          verb,
          ...(namespace !== undefined && { namespace }),
          ...(name !== undefined && { name }),
        })),
      ),
    ),
  )
}

/** The rights that a program asks for, as roles grant them. */
export function asGranted(rights: readonly Needed[]): readonly Right[] {
  return rights.map(({ group: apiGroup, resource: plural, ...right }) => {
    return { resource: `${apiGroup}/${plural}`, ...right }
  })
}

/** Each in words, sorted: two sets of rights are the same where these are. */
export function rightsInWords(rights: readonly Right[]): readonly string[] {
  return rights.map(each => Object.entries(each).map(String).toSorted().join(' ')).toSorted()
}

/** The right covers the request. */
export function covers(right: Right, request: Request): boolean {
  return (
    right.resource === request.resource &&
    right.verb === request.verb &&
    (right.namespace === undefined || right.namespace === request.namespace) &&
    (right.name === undefined || right.name === request.name)
  )
}

/** What a ServiceAccount has asked of the API server. */
export async function requestsOf(
  auditLog: string,
  { namespace, name }: Account,
): Promise<readonly Request[]> {
  const user = `system:serviceaccount:${namespace}:${name}`
  const lines = await auditLines(auditLog)
  return lines
    .filter(line => line.includes(user))
    .map(line => JSON.parse(line) as AuditEvent)
    .filter(event => event.user.username === user && event.objectRef !== undefined)
    .map(requestOf)
}

/**
 * What was refused, and no right covers, in words. An API server that has just started refuses what is
 * granted as well, for as long as it has not read the roles.
 */
export function lacking(rights: readonly Right[], requests: readonly Request[]): readonly string[] {
  const refused = requests.filter(({ code }) => code === 403)
  const missing = refused.filter(request => !rights.some(right => covers(right, request)))
  return [...new Set(missing.map(({ verb, resource: what }) => `${verb} ${what}`))]
}

interface AuditEvent {
  readonly verb: string
  readonly requestURI: string
  readonly user: { readonly username: string }
  readonly objectRef?: {
    readonly apiGroup?: string
    readonly resource: string
    readonly subresource?: string
    readonly namespace?: string
    readonly name?: string
  }
  readonly responseStatus?: { readonly code?: number }
}

function requestOf({ verb, objectRef, responseStatus, requestURI }: AuditEvent): Request {
  const { apiGroup = '', resource: plural, subresource, namespace = '', name } = objectRef!
  // A list of one object by its name has the name in the selector alone.
  const [, selected] = /fieldSelector=metadata\.name(?:=|%3D)([^&]+)/.exec(requestURI) ?? []
  return {
    resource: `${apiGroup}/${plural}${subresource === undefined ? '' : `/${subresource}`}`,
    verb,
    namespace,
    name: name ?? selected ?? '',
    code: responseStatus?.code ?? 0,
    uri: requestURI,
  }
}
