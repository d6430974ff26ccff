// `npm run demo`: a control plane comes up, a Deployment is edited with plain kubectl, and the reader
// watches it stop, step, be approved and finish; then an edit that is rolled back half-way. Each thing
// shown is asserted from the API server: the demo fails when one is not true.

import { parseArgs } from 'node:util'

import { KubeClient } from '#kube/client.ts'
import { connect } from '#kube/connect.ts'
import type { Flags } from '#process/flags.ts'
import { runProgram, untilAborted } from '#process/program.ts'
import { startSluice } from '../dev/sluice.ts'
import { startControlPlane } from '../test/cluster/control-plane.ts'
import { createStage } from './stage.ts'
import { play } from './story.ts'

const flags = {
  keep: { type: 'boolean', default: false, help: 'leaves the cluster up until Ctrl-C' },
  yes: { type: 'boolean', default: false, help: 'asks nobody to press Enter' },
} as const satisfies Flags

const program = {
  name: 'sluice demo',
  command: 'npm run demo --',
  about:
    'A control plane comes up, a Deployment is edited with plain kubectl, and you watch it stop,\n' +
    'step, be approved and finish.',
  flags,
}

await runProgram(program, async stop => {
  const { values } = parseArgs({ options: flags })
  const cluster = await startControlPlane({ signal: stop })
  const { kubeconfig } = cluster
  const client = new KubeClient(await connect({ env: process.env, kubeconfig }))
  try {
    const log: string[] = []
    const sluice = await startSluice({
      client,
      kubeconfig,
      webhookHost: '127.0.0.1',
      failurePolicy: 'Fail',
      logLevel: 'info',
      onLine: line => void log.push(line),
      stop,
    })
    try {
      const interactive = process.stdin.isTTY && process.stdout.isTTY && !values.yes
      const stage = await createStage({ cluster, client, interactive, stop })
      await play(stage)
      if (values.keep) {
        stage.say(`The cluster stays up until Ctrl-C. In another terminal:`)
        stage.say(`  export KUBECONFIG=${kubeconfig}`)
        stage.say(`  export PATH=${cluster.bin}:"$PATH"`)
        await untilAborted(stop)
      }
    } catch (error) {
      process.stderr.write(`${log.slice(-20).join('\n')}\n`)
      throw error
    } finally {
      await sluice.stop()
    }
  } finally {
    await client.close()
    await cluster.stop()
  }
})
