// `npm run dev`: Sluice from this checkout against the cluster that KUBECONFIG names.

import { homedir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

import { KubeClient } from '#kube/client.ts'
import { connect } from '#kube/connect.ts'
import { runProgram, untilAborted } from '#process/program.ts'
import type { Flags } from '#process/flags.ts'
import { logLevelIn, oneOf, processFlags, routesIn, trafficFlags } from '#process/settings.ts'
import { refuseInstalled } from './installed.ts'
import { untilLeading } from './lead.ts'
import { readableLog } from './readable-log.ts'
import { startSluice } from './sluice.ts'

const flags = {
  kubeconfig: {
    type: 'string',
    value: 'FILE',
    help: 'that of the cluster; else KUBECONFIG, else ~/.kube/config',
  },
  'webhook-host': {
    type: 'string',
    default: '127.0.0.1',
    value: 'HOST',
    help: 'this machine as the API server reaches it',
  },
  'failure-policy': {
    type: 'string',
    default: 'Ignore',
    value: 'Fail|Ignore',
    help: 'what becomes of an edit that the webhook does not answer; under Ignore a policy holds it, where there is one',
  },
  ...trafficFlags('yes'),
  'log-level': processFlags(process.env)['log-level'],
} as const satisfies Flags

const program = {
  name: 'sluice dev',
  command: 'npm run dev --',
  about:
    'Runs Sluice from this checkout beside the cluster that KUBECONFIG names, until Ctrl-C, or\n' +
    'until its terminal is closed. Wait for "Sluice guards" before you edit: what comes earlier is not held.',
  flags,
}

await runProgram(program, async stop => {
  const { values } = parseArgs({ options: flags })
  // All that is said is read before the cluster is touched.
  const failurePolicy = oneOf('--failure-policy', values['failure-policy'], ['Ignore', 'Fail'])
  const logLevel = logLevelIn(values)
  const { routes: traffic, routeKinds } = routesIn(values)
  const kubeconfig =
    values.kubeconfig ?? process.env['KUBECONFIG'] ?? join(homedir(), '.kube', 'config')
  const connection = await connect({ env: process.env, kubeconfig })
  // A terminal that is closed takes no line: the registration goes all the same.
  process.stdout.on('error', () => {})
  const say = (line: string) => void process.stdout.write(`Sluice ${line}\n`)
  const client = new KubeClient(connection)
  say(`starts beside ${connection.server}`)
  await refuseInstalled(client)
  const sluice = await startSluice({
    client,
    kubeconfig,
    webhookHost: values['webhook-host'],
    failurePolicy,
    logLevel,
    traffic,
    routeKinds,
    onProgress: say,
    onLine: readableLog(process.stdout),
    stop,
  })
  const { webhook, controller } = sluice
  const over = Promise.race([webhook.ended, controller.ended, untilAborted(stop)])
  const ended = new AbortController()
  void over.then(() => ended.abort())
  const identity = String(controller.ready['identity'])
  await untilLeading({ client, identity, say }, ended.signal)
  if (!ended.signal.aborted) say(`guards ${connection.server}; Ctrl-C takes the registration away`)
  await over
  await sluice.stop()
  process.stdout.write('the registration is gone; workloads that are held stay as they are\n')
  if (!stop.aborted) throw new Error('a process of Sluice ended by itself, see its last lines')
})
