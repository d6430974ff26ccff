// The controller process: watches, a Lease, and the loop that decides while it leads.

import { argv, env } from 'node:process'

import { KubeClient } from '#kube/client.ts'
import { connect } from '#kube/connect.ts'
import { fenceOf } from '#kube/fence.ts'
import { LeaderElector } from '#kube/lease.ts'
import { open, shut } from '#process/listen.ts'
import { tellFindings } from '#process/findings.ts'
import { createProbes } from '#process/probes.ts'
import { announce, createLog, runProgram } from '#process/program.ts'
import { ScriptThreads } from '#lua/runner.ts'
import { controllerProgram, readConfig } from './config.ts'
import { createController } from './controller.ts'
import { tellLease } from './lease-news.ts'
import { createMetrics } from './metrics.ts'
import { createReach } from './reach.ts'
import { controllerRights } from './rights.ts'

await runProgram(controllerProgram(env), async stop => {
  const config = readConfig(argv.slice(2), env)
  const { namespace, leaseName, leaseMs, identity, configuration } = config
  const { namespaces = [] } = config
  const log = createLog('controller', config.logLevel)
  const renewDeadlineMs = (leaseMs * 2) / 3
  const connection = await connect({ env, ...config })
  const process = `controller ${identity}`
  const client = new KubeClient(connection, { process })
  const metrics = createMetrics()
  const controller = createController({
    client,
    writing: ({ remainingMs }) =>
      new KubeClient(connection, {
        process,
        fence: fenceOf(remainingMs, leaseMs - renewDeadlineMs),
      }),
    ...config,
    scripts: new ScriptThreads(),
    namespaces,
    metrics,
    log,
    now: Date.now,
    onUnanswered: () => reach.doubt(),
  })
  let reached: boolean | undefined
  metrics.observe({ webhookReached: () => reached })
  const onReach = (found: boolean | undefined) => void (reached = found)
  const onBack = () => controller.tryAgain()
  const reach = createReach({ client, namespace, configuration, log, onReach, onBack })

  let synced = false
  const unready = () => (synced ? undefined : 'the caches are not filled yet')
  const probes = createProbes({ registry: metrics.registry, unready })
  const at = { host: config.probesHost, port: config.probesPort }
  const probesPort = await open(probes, at, '--probes-port')

  await tellFindings({ client, rights: controllerRights(config), log })
  const watching = controller.watches.run(stop)
  await Promise.race([controller.watches.synced, watching])
  stop.throwIfAborted()
  synced = true
  log.info({ probesPort, server: connection.server }, 'ready')
  announce({ ready: true, probesPort, identity })
  const reaching = reach.watch(stop)

  const elector = new LeaderElector({
    // A pool that is left as broken must not take a renewal along.
    client: new KubeClient(connection, { process }),
    namespace,
    name: leaseName,
    identity,
    durationMs: leaseMs,
    renewDeadlineMs,
    retryMs: (leaseMs * 2) / 15,
    onNews: news => tellLease(log, news),
  })
  await elector.run(stop, controller.lead)
  await reaching
  await shut(probes, 1000)
  log.info('stopped')
})
