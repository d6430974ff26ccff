// What is wrong around a process when it starts: one line each, which says what to do. Nothing of it ends
// the process: what works goes on, and a webhook that works must not be lost for what another one lacks.

import type { Logger } from 'pino'

import { API_VERSION } from '#api/names.ts'
import type { KubeClient } from '#kube/client.ts'
import { NotFound } from '#kube/errors.ts'
import { missingRights } from './rights.ts'
import type { Lacking, Right } from './rights.ts'

/** Whom to ask, what is needed, and where it is told. */
export interface FindingsOptions {
  readonly client: KubeClient
  readonly rights: readonly Right[]
  readonly log: Logger
}

/** Match conditions of webhooks are stable since then. */
const OLDEST = { major: 1, minor: 30 }

/** Asks the API server, and tells each finding as an error in the log. */
export async function tellFindings({ client, rights, log }: FindingsOptions): Promise<void> {
  const questions = [oldServer(client), missingKind(client), lacking(client, rights)]
  for (const answer of await Promise.allSettled(questions)) {
    if (answer.status === 'rejected') log.debug({ err: answer.reason }, 'not found out at start')
    else if (answer.value !== undefined) log.error(answer.value)
  }
}

async function oldServer(client: KubeClient): Promise<string | undefined> {
  const { major, minor } = await client.version()
  const old = major < OLDEST.major || (major === OLDEST.major && minor < OLDEST.minor)
  const needed = `${OLDEST.major}.${OLDEST.minor}`
  return old
    ? `the API server is Kubernetes ${major}.${minor}, and ${needed} or later is needed: upgrade it`
    : undefined
}

async function missingKind(client: KubeClient): Promise<string | undefined> {
  try {
    await client.serves(API_VERSION)
    return undefined
  } catch (error) {
    if (!(error instanceof NotFound)) throw error
    return `the API server does not serve ${API_VERSION}: install the CRD, see crds.install of the chart`
  }
}

async function lacking(client: KubeClient, rights: readonly Right[]): Promise<string | undefined> {
  const found = await missingRights(client, rights)
  if (found.missing.length === 0) return undefined
  return `rights are missing, give them back by helm upgrade: ${lackingInWords(found)}`
}

/** Such as `patch deployments.apps; list pods in shop; of 3 more it is not known`. */
export function lackingInWords({ missing, unknown }: Lacking): string {
  const more = unknown === 0 ? [] : [`of ${unknown} more it is not known`]
  return [...missing.map(rightInWords), ...more].join('; ')
}

/** Such as `patch deployments.apps in shop`. */
export function rightInWords({ verb, group, resource, name, namespace }: Right): string {
  const what = [`${resource}${group === '' ? '' : `.${group}`}`, name].filter(Boolean).join(' ')
  return `${verb} ${what}${namespace === undefined ? '' : ` in ${namespace}`}`
}
