// `npm run dev`: Sluice from this checkout against the cluster that KUBECONFIG names.

import { homedir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

import { KubeClient } from '#kube/client.ts'
import { connect } from '#kube/connection.ts'
import { runProgram, untilAborted } from '#process/program.ts'
import { refuseInstalled } from './installed.ts'
import { untilLeading } from './lead.ts'
import { readableLog } from './readable-log.ts'
import { startSluice } from './sluice.ts'

await runProgram('sluice dev', async stop => {
  const { values } = parseArgs({
    options: {
      kubeconfig: { type: 'string' },
      'webhook-host': { type: 'string', default: '127.0.0.1' },
      'failure-policy': { type: 'string', default: 'Ignore' },
      'log-level': { type: 'string', default: 'info' },
    },
  })
  const failurePolicy = values['failure-policy']
  if (failurePolicy !== 'Ignore' && failurePolicy !== 'Fail') {
    throw new Error(`--failure-policy: expected Ignore or Fail, got ${failurePolicy}`)
  }
  const kubeconfig =
    values.kubeconfig ?? process.env['KUBECONFIG'] ?? join(homedir(), '.kube', 'config')
  const connection = await connect({ env: process.env, kubeconfig })
  const client = new KubeClient(connection)
  await refuseInstalled(client)
  const sluice = await startSluice({
    client,
    kubeconfig,
    webhookHost: values['webhook-host'],
    failurePolicy,
    logLevel: values['log-level'],
    onLine: readableLog(process.stdout),
    stop,
  })
  const { webhook, controller } = sluice
  const over = Promise.race([webhook.ended, controller.ended, untilAborted(stop)])
  const ended = new AbortController()
  void over.then(() => ended.abort())
  const say = (line: string) => void process.stdout.write(`Sluice ${line}\n`)
  const identity = String(controller.ready['identity'])
  await untilLeading({ client, identity, say }, ended.signal)
  if (!ended.signal.aborted) say(`guards ${connection.server}; Ctrl-C takes the registration away`)
  await over
  await sluice.stop()
  process.stdout.write('the registration is gone; workloads that are held stay as they are\n')
  if (!stop.aborted) throw new Error('a process of Sluice ended by itself, see its last lines')
})
