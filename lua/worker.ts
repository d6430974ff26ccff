// The thread in which scripts run, one at a time.

import { parentPort, workerData } from 'node:worker_threads'

import { luaMachine } from './machine.ts'
import type { Call } from './thread.ts'

const machine = luaMachine(workerData as WebAssembly.Module)
const port = parentPort!
port.on('message', ({ text, input }: Call) => port.postMessage(machine.run(text, input)))
port.postMessage('ready')
