// From the words of a command line to an exit code: 0 done, 1 failed, 2 not understood.

import { KubeClient } from '#kube/client.ts'
import { connect } from '#kube/connect.ts'
import type { Connection } from '#kube/connection.ts'
import { defined } from '#core/defined.ts'
import { adopt } from './adopt.ts'
import { UsageError, readArguments, usage } from './arguments.ts'
import type { Command } from './arguments.ts'
import { eject } from './eject.ts'
import type { Surroundings } from './surroundings.ts'

/** Runs a command line; gives its exit code. */
export async function run(args: readonly string[], around: Surroundings): Promise<number> {
  try {
    const command = readArguments(args)
    if (command.name === 'help') {
      around.print(usage)
      return 0
    }
    return (await runCommand(command, around)) ? 0 : 1
  } catch (error) {
    around.complain(`sluice: ${error instanceof Error ? error.message : String(error)}`)
    if (!(error instanceof UsageError)) return 1
    around.complain('sluice --help says what can be said')
    return 2
  }
}

async function runCommand(
  command: Exclude<Command, { name: 'help' }>,
  around: Surroundings,
): Promise<boolean> {
  const { kubeconfig } = command
  const connection = await connect(defined({ env: around.env, kubeconfig }))
  const client = new KubeClient(connection, { process: 'cli' })
  try {
    return await carryOut(client, connection, command, around)
  } finally {
    await client.close()
  }
}

function carryOut(
  client: KubeClient,
  { namespace: ofContext }: Connection,
  command: Exclude<Command, { name: 'help' }>,
  around: Surroundings,
): Promise<boolean> {
  const namespace = command.namespace ?? ofContext
  if (command.name === 'adopt') {
    return adopt(client, { namespace, name: command.workload }, around)
  }
  const { everywhere, ...rest } = command
  const where = everywhere ? {} : { namespace }
  return eject(client, { ...rest, ...where }, around)
}
