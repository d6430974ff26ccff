// What `helm uninstall` runs before it takes anything away: `eject` for every workload, with nobody of ours
// in its way. A controller would guard at once what is given back, so this takes the Lease of the
// controllers first; when it fails it lets go of it, and everything is as it was.

import { argv, env, stderr, stdout } from 'node:process'

import { pause } from '#kube/backoff.ts'
import { KubeClient } from '#kube/client.ts'
import { connect } from '#kube/connect.ts'
import { LeaderElector } from '#kube/lease.ts'
import { takeOver } from '#kube/takeover.ts'
import { lackingInWords } from '#process/findings.ts'
import { announce, runProgram, untilAborted } from '#process/program.ts'
import { missingRights } from '#process/rights.ts'
import type { Right } from '#process/rights.ts'
import { defined } from '#core/defined.ts'
import { adaptersWith } from '#core/workload/registry.ts'
import { eject } from './eject.ts'
import { readConfig, uninstallProgram, uninstallRights } from './uninstall-config.ts'
import type { UninstallConfig } from './uninstall-config.ts'

/** After it has succeeded, Helm must have taken the controllers away by then. */
const LEASE_MS = 30_000
/** A role that was made a moment ago is not known to every API server. */
const RIGHTS_MS = 15_000

const onwards = 'uninstall again, or with --no-hooks: what is held stays held then'

await runProgram(uninstallProgram(env), async told => {
  const config = readConfig(argv.slice(2), env)
  const stop = withDeadline(told, config.deadlineSeconds)
  const connection = await connect({ env, ...config })
  const client = new KubeClient(connection, { process: 'uninstall' })
  announce({ ready: true })
  await granted(client, uninstallRights(config), stop)
  // What is refused is refused before anybody is stopped.
  if (!(await giveBack(client, config, { dryRun: true, stop }))) {
    notEnded(stop)
    throw new Error(`nothing was given back: do what the lines above say, then ${onwards}`)
  }
  await withNobodyLeading(client, config, stop, async leading => {
    if (!(await giveBack(client, config, { dryRun: false, stop: leading }))) {
      notEnded(stop)
      notLost(leading)
      throw new Error(`not everything was given back: ${onwards}`)
    }
  })
})

/** Waits until nothing is missing. Throws one line that names what is. */
async function granted(
  client: KubeClient,
  rights: readonly Right[],
  stop: AbortSignal,
): Promise<void> {
  const begun = performance.now()
  let found = await missingRights(client, rights)
  while (found.missing.length > 0) {
    if (performance.now() - begun > RIGHTS_MS) {
      throw new Error(`rights are missing: ${lackingInWords(found)}`)
    }
    await pause(500, stop)
    notEnded(stop)
    found = await missingRights(client, rights)
  }
}

/** All that is guarded; gives whether each was given back, or would be. */
async function giveBack(
  client: KubeClient,
  config: UninstallConfig,
  { dryRun, stop }: { readonly dryRun: boolean; readonly stop: AbortSignal },
): Promise<boolean> {
  const print = (line: string) => void (dryRun || stdout.write(`${line}\n`))
  const complain = (line: string) => void stderr.write(`${line}\n`)
  const adapters = adaptersWith(config.extraKinds)
  const unrouted = config.routes ? undefined : (true as const)
  const how = defined({ dryRun, adapters, keepRollouts: true, withAborted: false, unrouted })
  const namespaces: readonly (string | undefined)[] = config.namespaces ?? [undefined]
  let done = true
  for (const namespace of namespaces) {
    const ejection = { ...how, ...defined({ namespace }) }
    done = (await eject(client, ejection, { print, complain, stop })) && done
  }
  return done
}

/**
 * Does the work while no controller leads, and leaves the Lease held when it is done. Throws what the work
 * throws, and then lets go of the Lease.
 */
async function withNobodyLeading(
  client: KubeClient,
  { namespace, leaseName: name, identity }: UninstallConfig,
  stop: AbortSignal,
  work: (leading: AbortSignal) => Promise<void>,
): Promise<void> {
  const lease = { namespace, name }
  await takeOver({ client, lease, identity, durationMs: LEASE_MS }, stop)
  const elector = new LeaderElector({
    client,
    ...lease,
    identity,
    durationMs: LEASE_MS,
    renewDeadlineMs: (LEASE_MS * 2) / 3,
  })
  const { promise: done, resolve } = Promise.withResolvers<void>()
  const leading = elector.run(stop, async signal => {
    await work(signal)
    if (!stop.aborted) notLost(signal)
    if (!stop.aborted) resolve()
    await untilAborted(signal)
  })
  await Promise.race([done, leading])
  notEnded(stop)
}

/** Kubernetes would end it without a word, and take its log away. */
function withDeadline(told: AbortSignal, seconds: number): AbortSignal {
  const over = new AbortController()
  const words = `time is up (uninstall.deadlineSeconds=${seconds})`
  setTimeout(() => over.abort(new Error(words)), seconds * 1000).unref()
  return AbortSignal.any([told, over.signal])
}

/** Another controller may lead by now, and guard again what is given back. */
function notLost({ aborted }: AbortSignal): void {
  if (aborted) throw new Error(`the Lease was lost: ${onwards}`)
}

/** To be told to end is a failure: success is what lets Helm go on. */
function notEnded({ aborted, reason }: AbortSignal): void {
  if (aborted) throw new Error(`${(reason as Error).message}: ${onwards}`)
}
