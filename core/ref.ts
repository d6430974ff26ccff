// How objects and their kinds are named, and what a name tells: whether every cluster has the kind, and which others
// are the same.

/** Which workload, in which namespace. */
export interface WorkloadRef {
  readonly apiVersion: string
  readonly kind: string
  readonly namespace: string
  readonly name: string
}

/** A kind as the API server serves it. */
export interface KindRef {
  /** `group/version`. */
  readonly apiVersion: string
  readonly kind: string
  /** The lower-case plural in the API server's URLs. */
  readonly plural: string
}

/** Kubernetes has it itself. The group of a custom resource has a dot in its name. */
export function isNative({ apiVersion }: Pick<WorkloadRef, 'apiVersion'>): boolean {
  const [group = '', version] = apiVersion.split('/')
  return version === undefined || !group.includes('.') || group.endsWith('.k8s.io')
}

/** The group of a kind, whatever the version. */
export function groupOf({ apiVersion }: Pick<WorkloadRef, 'apiVersion'>): string {
  return apiVersion.split('/')[0]!
}

type Kind = Pick<WorkloadRef, 'apiVersion' | 'kind'>

/** The same kind, in whatever version. */
export function isSameKind(a: Kind, b: Kind): boolean {
  return a.kind === b.kind && groupOf(a) === groupOf(b)
}

/** The same kind in the same version. */
export function isSameVersion(a: Kind, b: Kind): boolean {
  return a.kind === b.kind && a.apiVersion === b.apiVersion
}

/** One text that names a workload: the key of the queue, and of the indexes by workload. */
export function keyOf({ apiVersion, kind, namespace, name }: WorkloadRef): string {
  return [apiVersion, kind, namespace, name].join('|')
}

/** The workload that a key names. */
export function refOf(key: string): WorkloadRef {
  const [apiVersion = '', kind = '', namespace = '', name = ''] = key.split('|')
  return { apiVersion, kind, namespace, name }
}
