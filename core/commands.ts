// The commands that go on. Whoever waits is told, so they are written once.

import { ABORT, RECORD } from '#api/names.ts'
import type { MergePatch } from './change.ts'
import { groupOf, isNative } from './ref.ts'
import type { WorkloadRef } from './ref.ts'
import { statusField } from './style.ts'
import type { Style } from './style.ts'

interface Named {
  readonly namespace: string
  readonly name: string
}

/** Ends the pause of a step: kubectl-kruise's own protocol, with no plugin. */
export function approveCommand({
  namespace,
  name,
  style,
}: Named & { readonly style: Style }): string {
  const patch = `{"status":{"${statusField[style]}":{"currentStepState":"StepReady"}}}`
  return `kubectl -n ${namespace} patch rollout ${name} --subresource=status --type=merge -p '${patch}'`
}

/** Takes everybody back to the stable revision. The release's name makes it differ from older ones. */
export function abortCommand({ namespace, name }: Named, release: string): string {
  return `kubectl -n ${namespace} annotate rollout ${name} --overwrite ${ABORT}=${release}`
}

/** How all pods of a release go back; `noAbort`: why an abort brings nobody back. */
export function takeBackInWords(
  rollout: Named & { readonly ref: WorkloadRef },
  release: string,
  { noAbort, stable }: { readonly noAbort?: string | undefined; readonly stable?: string } = {},
): string {
  if (noAbort === undefined) return `take all pods back with: ${abortCommand(rollout, release)}`
  return undoneBy(`${noAbort}; take all pods back by the old template`, rollout.ref, stable)
}

/** How all pods go back at once, of a rollback by steps: an abort wants them where it brings them. */
export function letGoInWords(rollout: Named, release: string): string {
  return `take all pods back at once with: ${abortCommand(rollout, release)}`
}

/** Un-freezes a paused Rollout. */
export function unpauseCommand({ namespace, name }: Named): string {
  const patch = '{"spec":{"strategy":{"paused":false}}}'
  return `kubectl -n ${namespace} patch rollout ${name} --type=merge -p '${patch}'`
}

/**
 * Ends with 0 when everybody has the new version. Right after the edit the Rollout still is Ready for the one before,
 * so that the release itself is waited for first.
 */
export function waitCommand({ namespace, name }: Named, release: string): string {
  const wait = `kubectl -n ${namespace} wait rollout ${name}`
  const seen = `${wait} --for=jsonpath='{..observedRelease}'=${release} --timeout=5m`
  return `${seen} && ${wait} --for=condition=Ready --timeout=1h`
}

/** Starts an aborted release again. */
export function resumeCommand({ namespace, name }: Named): string {
  return `kubectl -n ${namespace} annotate rollout ${name} ${ABORT}-`
}

/** Takes every finalizer off a Rollout. */
export function finalizerCommand({ namespace, name }: Named): string {
  const patch = '{"metadata":{"finalizers":null}}'
  return `kubectl -n ${namespace} patch rollout ${name} --type=merge -p '${patch}'`
}

/** Deletes pods, of which there is one at least, in one namespace. */
export function deletePodsCommand(pods: readonly Named[]): string {
  return deleteCommand('pod', pods)
}

/** Deletes Deployments, of which there is one at least, in one namespace. */
export function deleteDeploymentsCommand(deployments: readonly Named[]): string {
  return deleteCommand('deployment', deployments)
}

function deleteCommand(kind: string, objects: readonly Named[]): string {
  const { namespace = '' } = { ...objects[0] }
  return `kubectl -n ${namespace} delete ${kind} ${objects.map(({ name }) => name).join(' ')}`
}

/** Un-freezes a workload that its owner has paused, in the way of its kind. */
export function resumeWorkloadCommand(
  ref: WorkloadRef,
  { resumedBy }: { readonly resumedBy?: MergePatch },
): string {
  if (resumedBy) return patchCommand(ref, JSON.stringify(resumedBy))
  return `kubectl -n ${ref.namespace} rollout resume ${targetOf(ref)}`
}

/**
 * Words, and the command that puts the template of the stable revision back, where kubectl has one; '': that
 * before the last edit. What kubectl calls a revision is a number, which changes.
 */
export function undoneBy(words: string, ref: WorkloadRef, stable = ''): string {
  if (!isNative(ref)) return words
  const undo = `kubectl -n ${ref.namespace} rollout undo ${targetOf(ref)}`
  return stable === ''
    ? `${words}: ${undo}`
    : `${words}: ${undo} --to-revision=$(${revisionCommand(ref, stable)})`
}

function revisionCommand({ kind, namespace, name }: WorkloadRef, stable: string): string {
  const get = `kubectl -n ${namespace} get`
  if (kind === 'Deployment') {
    const path = String.raw`{..deployment\.kubernetes\.io/revision}`
    return `${get} rs ${name}-${stable} -o jsonpath='${path}'`
  }
  const revision = stable.startsWith(`${name}-`) ? stable : `${name}-${stable}`
  return `${get} controllerrevision ${revision} -o jsonpath='{.revision}'`
}

/** Writes a merge patch to a workload. */
export function patchCommand(ref: WorkloadRef, patch: string): string {
  return `kubectl -n ${ref.namespace} patch ${targetOf(ref)} --type=merge -p '${patch}'`
}

/** As kubectl names a workload: `deployment/web`, `cloneset.apps.kruise.io/web`. */
export function targetOf(ref: Pick<WorkloadRef, 'apiVersion' | 'kind' | 'name'>): string {
  return `${kindName(ref)}/${ref.name}`
}

/** As kubectl names a kind: with its group, where another one of the name is meant without. */
export function kindName({ apiVersion, kind }: Pick<WorkloadRef, 'apiVersion' | 'kind'>): string {
  const group = groupOf({ apiVersion })
  return group === 'apps' ? kind.toLowerCase() : `${kind.toLowerCase()}.${group}`
}

/** Gives a held workload back by what its record says, with nobody of ours alive. */
export function escapeCommand(ref: WorkloadRef): string {
  const target = `-n ${ref.namespace} ${targetOf(ref)}`
  const path = `{.metadata.annotations.${RECORD.replaceAll('.', String.raw`\.`)}}`
  return `kubectl patch ${target} --type merge -p "$(kubectl get ${target} -o jsonpath='${path}')"`
}
