// Traffic scripts, from the call to the thread's answer: ours, for objects as they are met.

import type { FoundScript } from '#core/script.ts'
import { ingressScript, routerScript } from '#lua/library.ts'
import { ScriptThreads } from '#lua/runner.ts'
import { rollOut } from './floor.ts'
import type { Place } from './place.ts'
import { RUNS } from './releases.ts'
import { spread } from './samples.ts'
import type { Spread } from './samples.ts'
import { createSubject } from './subject.ts'

const CALLS = 500

/** Milliseconds per call, and of the roll-outs between them. */
export interface Scripts {
  readonly call: Spread
  readonly plainRollOut: Spread
}

/** Measures both. */
export async function scripts(place: Place): Promise<Scripts> {
  place.progress('calls of traffic scripts')
  // Nothing is begun again because a neighbour is busy.
  const threads = new ScriptThreads({ momentMs: 30_000 })
  const plain = await createSubject(place, { steps: false })
  const times: number[] = []
  const rollOuts: number[] = []
  try {
    for (let run = 0; run < CALLS; run++) {
      if (run % (CALLS / RUNS.measured) === 0) rollOuts.push(await rollOut(plain))
      for (const [found, input] of calls) times.push(await timed(threads, found, input))
    }
  } finally {
    threads.stop()
  }
  // The first ones start the thread and warm it up.
  const call = spread(times.slice(calls.length * 20))
  await plain.remove()
  return { call, plainRollOut: spread(rollOuts) }
}

async function timed(threads: ScriptThreads, found: FoundScript, input: unknown): Promise<number> {
  if ('missing' in found) throw new Error(found.missing)
  const begun = performance.now()
  const outcome = await threads.run(found, input)
  if ('mistake' in outcome) throw new Error(outcome.mistake)
  return performance.now() - begun
}

const services = { stableService: 'web', canaryService: 'web-canary' }
const spec = {
  hosts: ['web.example.com'],
  gateways: ['gateway'],
  http: [1, 2, 3].map(number => ({
    name: `rule-${number}`,
    timeout: '5s',
    route: [{ destination: { host: 'web', port: { number: 80 } }, weight: 100 }],
  })),
}

const calls: readonly (readonly [FoundScript, unknown])[] = [
  [
    ingressScript('nginx', {}),
    { annotations: { 'example.com/owner': 'shop' }, weight: '20', matches: [], ...services },
  ],
  [
    routerScript('networking.istio.io', 'VirtualService', {}),
    { data: { spec, labels: { app: 'web' } }, canaryWeight: 20, stableWeight: 80, ...services },
  ],
]
