// The examples of a page: every block marked `sh run=<name>`, with the files that the page shows before it and
// the lines of output that it shows after it. They are run as a reader would, beside the cluster.

import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import { expect } from 'vitest'

import { blocks, pattern, read, section } from '../docs/markdown.ts'
import { commandEnvironment } from './commands.ts'
import type { ControlPlane } from './control-plane.ts'

/** One of them. */
export interface Example {
  readonly name: string
  readonly script: string
  /** Files that the page shows before it, by name. */
  readonly files: readonly (readonly [name: string, text: string])[]
  /** Lines of the output that the page shows after it. */
  readonly output: readonly string[]
}

/** All of a page, in their order. */
export function examplesOf(page: string): readonly Example[] {
  const all = blocks(read(page))
  const examples: Example[] = []
  let files: [string, string][] = []
  all.forEach(({ info, text }, index) => {
    if (info['file'] !== undefined) files.push([info['file'], text])
    if (info['run'] === undefined) return
    const next = all[index + 1]
    const output = next?.language === 'text' ? next.text.trim().split('\n') : []
    examples.push({ name: info['run'], script: text, files, output })
    files = []
  })
  return examples
}

/** The commands of a part of a page, with kubectl told a namespace. */
export function commandsOf(page: string, heading: string, namespace: string): string {
  const [block] = blocks(section(read(page), heading)).filter(({ language }) => language === 'sh')
  return block!.text.replaceAll('kubectl ', `kubectl -n ${namespace} `)
}

/** Where the commands of the pages run, as somebody whose namespace it is. */
export async function startReader(cluster: ControlPlane, namespace: string): Promise<void> {
  const kubeconfig = readFileSync(cluster.kubeconfig, 'utf8')
  const own = kubeconfig.replace(/^( *)(user: .*)$/m, `$1$2\n$1namespace: ${namespace}`)
  await writeFile(join(cluster.dir, 'kubeconfig'), own)
}

/** Runs it, and expects what the page shows. */
export async function runExample(
  cluster: ControlPlane,
  { files, script, output }: Example,
): Promise<void> {
  for (const [file, text] of files) await writeFile(join(cluster.dir, file), text)
  const printed = await shell(cluster, patiently(script))
  for (const line of output) expect(printed).toMatch(pattern(line))
}

/** A reader whose machine is slow waits once more. */
function patiently(script: string): string {
  const longer = '--timeout=120s'
  return script
    .replaceAll(/--timeout=\d+s/g, longer)
    .replaceAll(/kubectl wait (?!.*--timeout)/g, `kubectl wait ${longer} `)
}

async function shell(cluster: ControlPlane, script: string): Promise<string> {
  const kubeconfig = join(cluster.dir, 'kubeconfig')
  const environment = { ...commandEnvironment(cluster), KUBECONFIG: kubeconfig }
  const child = spawn('bash', ['-euo', 'pipefail', '-c', `exec 2>&1\n${script}`], {
    cwd: cluster.dir,
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 400_000,
  })
  let printed = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (printed += text))
  const code = await new Promise(resolve => child.once('close', resolve))
  if (code !== 0) throw new Error(`exit code ${String(code)} of\n${script}\n${printed}`)
  return printed
}
