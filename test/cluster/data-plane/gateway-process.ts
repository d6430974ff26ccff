// The gateway, as a process beside the pods: it ends with this one, and tells each time when requests go otherwise.

import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'

import type { GatewayCommand, Routed } from './channel.ts'

/** Runs it; fulfilled with its exit code when it ends. */
export function runGateway(
  { program, args, env }: GatewayCommand,
  hear: (routed: Routed) => void,
): Promise<number> {
  const child = spawn(program, args, {
    env: { ...process.env, ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  createInterface({ input: child.stdout }).on('line', line => hear(JSON.parse(line) as Routed))
  return new Promise((resolve, reject) => {
    child.once('error', reject).once('exit', code => resolve(code ?? -1))
  })
}
