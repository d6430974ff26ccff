// The text of a proposed Rollout. Written here, since a library for YAML would leave the comments out.

import type { Step } from '#api/rollout.generated.ts'
import type { Proposal } from './proposal.ts'

/** The manifest, with the reasons as comments. */
export function rolloutYaml({ rollout, reasons, steps }: Proposal): string {
  const { metadata, spec } = rollout
  const { workloadRef, strategy } = spec
  return [
    `# Proposed for deployment/${workloadRef.name}:`,
    ...reasons.map(reason => `# - ${reason}`),
    `apiVersion: ${rollout.apiVersion}`,
    `kind: ${rollout.kind}`,
    'metadata:',
    `  name: ${name(metadata.name)}`,
    `  namespace: ${name(metadata.namespace ?? '')}`,
    'spec:',
    '  workloadRef:',
    `    apiVersion: ${workloadRef.apiVersion}`,
    `    kind: ${workloadRef.kind}`,
    `    name: ${name(workloadRef.name)}`,
    '  strategy:',
    '    canary:',
    '      steps:',
    ...(strategy.canary?.steps ?? []).flatMap((step, i) => [
      `        # ${steps[i]}`,
      ...stepLines(step).map(line => `        ${line}`),
    ]),
  ].join('\n')
}

function stepLines({ replicas, pause }: Step): readonly string[] {
  const lines = [`- replicas: ${replicas}`]
  if (pause?.duration !== undefined) lines.push('  pause:', `    duration: ${pause.duration}`)
  return lines
}

/** `true`, `null` and `1e3` are names in Kubernetes, and something else in YAML. */
function name(text: string): string {
  const plain =
    /^[a-z][a-z0-9.-]*$/.test(text) && !/^(true|false|null|yes|no|on|off|y|n)$/.test(text)
  return plain ? text : JSON.stringify(text)
}
