// What "the cluster is up" means: facts that are looked at again and again until they hold, while
// the processes are watched, so that one that dies is told at once and with its own last words.

import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'

import { apiRequest } from './api-request.ts'
import { runningProcess } from './cluster-folder.ts'
import { logFile, type ComponentName } from './components.ts'
import type { Access } from './credentials.ts'
import { lastLines } from './processes.ts'

/** What is watched while a fact is awaited. */
export interface Watch {
  readonly dir: string
  /** None of these may end. */
  readonly components: readonly ComponentName[]
  readonly signal?: AbortSignal | undefined
}

const pollMs = 25
const boundMs = 180_000
const shownLines = 12

/** A component ended while it should run; the message holds the end of its log. */
export class ComponentEnded extends Error {
  /** Somebody else has the port that the component was given. */
  readonly addressInUse: boolean

  constructor(dir: string, name: ComponentName) {
    const log = logFile(dir, name)
    const end = lastLines(log, shownLines)
    super(`${name} ended at its start; the last lines of ${log}:\n${end}`)
    this.name = 'ComponentEnded'
    this.addressInUse = end.includes('address already in use')
  }
}

/**
 * Waits until a fact holds; a fact that throws does not hold yet. Fails with ComponentEnded, with
 * the reason of the signal, or after three minutes with what is still untrue.
 */
export async function until(
  what: string,
  watch: Watch,
  fact: () => Promise<boolean>,
): Promise<void> {
  const deadline = performance.now() + boundMs
  const state: { asking: boolean; holds: boolean; cause?: unknown } = {
    asking: false,
    holds: false,
  }
  const ask = async () => {
    state.asking = true
    try {
      state.holds = await fact()
    } catch (error) {
      state.cause = error
    }
    state.asking = false
  }
  for (;;) {
    watch.signal?.throwIfAborted()
    const ended = watch.components.find(name => !runningProcess(watch.dir, name))
    if (ended) throw new ComponentEnded(watch.dir, ended)
    if (state.holds) return
    if (performance.now() > deadline) {
      throw new Error(`after ${boundMs / 1000} s it is not true that ${what}`, {
        cause: state.cause,
      })
    }
    // Not awaited: a foreign server on the port may take seconds not to answer.
    if (!state.asking) void ask()
    await delay(pollMs)
  }
}

/** Something listens on a loopback port. */
export function listens(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect({ host: '127.0.0.1', port })
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}

/** The API server says that it is ready. */
export async function apiReady(admin: Access): Promise<boolean> {
  return (await apiRequest(admin, '/readyz')).status === 200
}

/** A node exists after this call; false when the API server could not take it now. */
export async function registerNode(admin: Access, name: string): Promise<boolean> {
  const labels = { 'kubernetes.io/hostname': name, 'kubernetes.io/os': 'linux', type: 'kwok' }
  const node = { apiVersion: 'v1', kind: 'Node', metadata: { name, labels } }
  const { status } = await apiRequest(admin, '/api/v1/nodes', node)
  return status === 201 || status === 409
}

interface NodeList {
  readonly items: readonly {
    readonly spec: { readonly taints?: readonly unknown[] }
    readonly status: {
      readonly conditions?: readonly { readonly type: string; readonly status: string }[]
    }
  }[]
}

/** Pods can run: `count` nodes are Ready and without a taint that keeps pods away. */
export async function nodesReady(admin: Access, count: number): Promise<boolean> {
  const { status, text } = await apiRequest(admin, '/api/v1/nodes')
  if (status !== 200) return false
  const ready = (JSON.parse(text) as NodeList).items.filter(
    node =>
      node.spec.taints === undefined &&
      node.status.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True'),
  )
  return ready.length === count
}

/** Pods can be created in `default`: its ServiceAccount exists. */
export async function serviceAccountPresent(admin: Access): Promise<boolean> {
  const path = '/api/v1/namespaces/default/serviceaccounts/default'
  return (await apiRequest(admin, path)).status === 200
}
