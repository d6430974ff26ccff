// `npm run demo`: a control plane comes up, a Deployment is edited with plain kubectl, and the reader
// watches it stop, step, be approved and finish; then an edit that is rolled back half-way. Each thing
// shown is asserted from the API server: the demo fails when one is not true.

import { parseArgs } from 'node:util'

import { KubeClient } from '#kube/client.ts'
import { connect } from '#kube/connect.ts'
import { runProgram, untilAborted } from '#process/program.ts'
import { startSluice } from '../dev/sluice.ts'
import { startControlPlane } from '../test/cluster/control-plane.ts'
import { createStage } from './stage.ts'
import { play } from './story.ts'

await runProgram('sluice demo', async stop => {
  const { values } = parseArgs({
    options: {
      keep: { type: 'boolean', default: false },
      yes: { type: 'boolean', default: false },
    },
  })
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
