// The webhook process: reads its settings, and lets one webhook live until it is asked to end.

import { KubeClient } from '#kube/client.ts'
import { connect } from '#kube/connect.ts'
import { tellFindings } from '#process/findings.ts'
import { announce, createLog, runProgram, untilAborted } from '#process/program.ts'
import { readConfig, webhookProgram } from './config.ts'
import { createMetrics } from './metrics.ts'
import { webhookRights } from './rights.ts'
import { startWebhook } from './webhook.ts'

await runProgram(webhookProgram(process.env), async stop => {
  const config = readConfig(process.argv.slice(2), process.env)
  const log = createLog('webhook', config.logLevel)
  const connection = await connect({ env: process.env, ...config })
  const client = new KubeClient(connection)
  await tellFindings({ client, rights: webhookRights(config), log })
  const webhook = await startWebhook({ client, config, metrics: createMetrics(), log }, stop)
  const { port, probesPort, certificates } = webhook
  log.info({ port, probesPort, server: connection.server }, 'ready')
  announce({ ready: true, port, probesPort, caBundle: certificates.current().caBundle })

  await untilAborted(stop)
  await webhook.close()
  log.info('stopped')
})
