// What all clusters of a run together have used of the rights that the chart's roles grant: each leaves word
// of it when it ends, and what none of them has used is a right too many.

import { randomUUID } from 'node:crypto'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

import type { KubeClient } from '#kube/client.ts'
import { covers, lacking, requestsOf, rightsOf } from './rights.ts'
import type { Account, Request, Right } from './rights.ts'

/** What one ServiceAccount was granted, and what it has used of that; in words that are the same in all clusters. */
export interface RightsNote {
  readonly granted: readonly string[]
  readonly used: readonly string[]
}

/** Leaves word of what a ServiceAccount has used in a cluster that ends, and gives what it lacks, in words. */
export async function settleRights(
  { client, auditLog, folder }: Settled,
  account: Account,
): Promise<readonly string[]> {
  const rights = await rightsOf(client, account)
  const requests = await requestsOf(auditLog, account)
  const note = JSON.stringify(noteOf(account, rights, requests))
  await writeFile(join(folder, `${randomUUID()}.json`), note)
  return lacking(rights, requests).map(right => `${account.name}: ${right}`)
}

/** A cluster, and where the run keeps what is left by each. */
interface Settled {
  readonly client: KubeClient
  readonly auditLog: string
  readonly folder: string
}

/** What to leave of a ServiceAccount. */
export function noteOf(
  account: Account,
  rights: readonly Right[],
  requests: readonly Request[],
): RightsNote {
  const allowed = requests.filter(({ code }) => code !== 403)
  const used = rights.filter(right => allowed.some(request => covers(right, request)))
  const words = (right: Right) => inWords(account, right)
  return { granted: rights.map(words), used: used.map(words) }
}

/** What was granted somewhere, and used nowhere. */
export function neverUsed(notes: readonly RightsNote[]): readonly string[] {
  const used = new Set(notes.flatMap(note => note.used))
  const granted = new Set(notes.flatMap(note => note.granted))
  return [...granted].filter(each => !used.has(each)).toSorted((a, b) => a.localeCompare(b))
}

/** What the clusters of a run have left. */
export async function notesIn(folder: string): Promise<readonly RightsNote[]> {
  const names = await readdir(folder)
  const texts = await Promise.all(names.map(name => readFile(join(folder, name), 'utf8')))
  return texts.map(text => JSON.parse(text) as RightsNote)
}

/** In which namespace we are, and what we are called there, is another thing in each cluster. */
function inWords({ name: who }: Account, { verb, resource, name = '' }: Right): string {
  const process = who.split('-').at(-1)!
  return `${process}: ${verb} ${resource} ${name.replace(/^sluice-dev/, 'sluice')}`.trim()
}
