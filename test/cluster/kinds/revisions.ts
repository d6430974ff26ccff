// Revisions of pod templates, as ControllerRevisions: named after the template, so that who goes back to an
// old template gets the name of before.

import type { KubeObject, PodTemplate } from '#api/kubernetes.ts'
import { digest } from '#core/digest.ts'
import type { Cache } from '#kube/cache.ts'
import type { KubeClient } from '#kube/client.ts'
import type { ResourceType } from '#kube/resources.ts'
import { caughtUp } from '../cache-facts.ts'
import { REVISIONS } from './resources.ts'
import type { ControllerRevision, Workload } from './resources.ts'

/** One version of a workload. */
export interface Revision {
  /** `<workload>-<hash>`. */
  readonly name: string
  readonly hash: string
  readonly template: PodTemplate
}

/** The label by which pods of every kind tell their revision. */
export const REVISION_HASH = 'controller-revision-hash'

/** What a revision is made of and kept in. */
export interface RevisionStore {
  readonly client: KubeClient
  readonly revisions: Cache<ControllerRevision>
}

/** The revision of the workload as it is now; made, or made the newest, if it is not. */
export async function updateRevision(
  { client, revisions }: RevisionStore,
  type: ResourceType,
  workload: Workload,
): Promise<Revision> {
  const revision = revisionOf(workload)
  const { namespace = '', uid } = workload.metadata
  const all = revisions.byIndex('owner', uid ?? '')
  const newest = Math.max(0, ...all.map(each => each.revision))
  const known = revisions.get(namespace, revision.name)
  if (!known) {
    const object = revisionObject(type, workload, { ...revision, number: newest + 1 })
    const { metadata } = await client.create(REVISIONS, object)
    await caughtUp(revisions, metadata.resourceVersion)
  } else if (known.revision < newest) {
    const { name, resourceVersion } = known.metadata
    const patch = { metadata: { resourceVersion }, revision: newest + 1 }
    const { metadata } = await client.mergePatch(REVISIONS, { namespace, name }, patch)
    await caughtUp(revisions, metadata.resourceVersion)
  }
  return revision
}

/** A revision as it is stored. */
export function revisionObject(
  type: Pick<ResourceType, 'apiVersion' | 'kind'>,
  workload: Pick<Workload, 'metadata'>,
  { name, hash, template, number }: Revision & { readonly number: number },
): KubeObject {
  const { namespace } = workload.metadata
  // DaemonSets name it by the one label, StatefulSets by the other.
  const hashes = { [REVISION_HASH]: hash, 'controller.kubernetes.io/hash': hash }
  const labels = { ...template.metadata?.labels, ...hashes }
  return {
    apiVersion: REVISIONS.apiVersion,
    kind: REVISIONS.kind,
    metadata: { namespace, name, labels, ownerReferences: [ownerReference(type, workload)] },
    revision: number,
    data: { spec: { template: { ...template, $patch: 'replace' } } },
  } as KubeObject
}

/** The revision of that name; undefined where there is none. */
export function revisionNamed(
  { revisions }: RevisionStore,
  workload: Workload,
  name: string | undefined,
): Revision | undefined {
  const found = revisions.get(workload.metadata.namespace, name ?? '')
  if (!found) return undefined
  const { $patch: _, ...template } = found.data.spec.template as PodTemplate & { $patch?: string }
  return { name: found.metadata.name, hash: hashOf(template), template }
}

/** What tells that the workload controls the object. */
export function ownerReference(
  { apiVersion, kind }: Pick<ResourceType, 'apiVersion' | 'kind'>,
  { metadata }: Pick<Workload, 'metadata'>,
) {
  const { name, uid = '' } = metadata
  return { apiVersion, kind, name, uid, controller: true, blockOwnerDeletion: true }
}

/** The revision that the workload asks for. */
export function revisionOf({ metadata, spec }: Pick<Workload, 'metadata' | 'spec'>): Revision {
  const hash = hashOf(spec.template)
  return { name: `${metadata.name}-${hash}`, hash, template: spec.template }
}

/** As Kubernetes writes hashes: without vowels and what looks like them, so that no word comes out. */
function hashOf(template: PodTemplate): string {
  const digits = digest(template).slice(0, 10)
  return digits.replaceAll(/./g, digit => 'bcdfghjklmnpqrst'[Number.parseInt(digit, 16)]!)
}
