// Random histories while the webhook is killed and started again. With the policy in the API server no
// law is broken for a moment. Without it, under `Ignore`, what is lost is what an edit meets that comes
// in an outage, and nothing else; all becomes right again. HISTORIES and SEED are as in histories.test.ts.

import { describe, expect, test } from 'vitest'

import { equalJson } from '#core/equal.ts'
import type { State } from './chronicle-facts.ts'
import { startChronicledWorld } from './chronicled-world.ts'
import { counted, reportFaults } from './fault-report.ts'
import { reportOn } from './history.ts'
import type { Told } from './history.ts'
import { isRight } from './history-facts.ts'
import type { Breach } from './history-laws.ts'
import { failWith, isQuiet, patienceFor, seedsOf, tellAll } from './history-runs.ts'
import type { ToldAll } from './history-runs.ts'
import { proveCatch, startOutages } from './webhook-outages.ts'
import type { Outage } from './webhook-outages.ts'

const seeds = { with: seedsOf(6), without: seedsOf(2) }

/** Among so many an outage is met by an edit for sure. */
const MANY = 60

interface Ran extends ToldAll {
  readonly outages: readonly Outage[]
}

/** Tells the histories in a cluster of their own, which goes when it is over. */
async function run(policy: boolean): Promise<Ran> {
  const chosen = seeds[policy ? 'with' : 'without']
  const world = await startChronicledWorld({ failurePolicy: 'Ignore', ...(!policy && { policy }) })
  try {
    const webhook = policy ? await proveCatch(world) : world.sluice.webhook
    const outages = startOutages(world, webhook)
    // What was caught is taken over up to a minute after the webhook is back, if it stays.
    const stage = { ...world, acted: outages.acted, patienceMs: 180_000 }
    const told = await tellAll(stage, chosen).finally(outages.stop)
    if (told.endless.length === 0) await isQuiet(world, told.all)
    return { ...told, outages: outages.over }
  } finally {
    await world.stop()
  }
}

function duringOutage({ outages }: Ran, { version }: State): boolean {
  return outages.some(({ from, to }) => version > from && version <= to)
}

/** What people wrote to a Deployment while the webhook was away, each by its place in the recording. */
function missed(ran: Ran, { scene }: Told): readonly number[] {
  const states = scene.chronicle.states()
  return states.flatMap((state, index) => {
    return isEdit(states[index - 1], state) && duringOutage(ran, state) ? [index] : []
  })
}

function isEdit(before: State | undefined, { workload: now }: State): boolean {
  const was = before?.workload
  if (!was || !now || was.generation === now.generation) return false
  const fields = ({ image, strategy, paused }: typeof now) => ({ image, strategy, paused })
  return !equalJson(fields(was), fields(now))
}

/** A write that no webhook saw came before it, and all was not yet right again. */
function isExcused(ran: Ran, told: Told, { index }: Breach): boolean {
  const begun = told.scene.chronicle.states().slice(0, index).findLastIndex(isRight)
  return missed(ran, told).some(each => each > begun && each <= index)
}

/** A law without the version and the numbers. */
function lawOf({ law }: Breach): string {
  return law.replaceAll(/app:\w+/g, 'a version').replaceAll(/\d+/g, 'n')
}

describe('while the webhook is away now and then', () => {
  test(
    'with the policy everybody is safe at every moment',
    async () => {
      const ran = await run(true)
      const { all, endless, outages } = ran
      const broken = all.filter(({ found }) => found.length > 0)
      const edits = all.flatMap(told => missed(ran, told)).length
      const lost = counted(broken.flatMap(({ found }) => found.map(lawOf)))
      reportFaults('outages-with-policy', [
        { fault: 'the webhook is killed, with the policy', times: outages.length, lost },
        { fault: 'an edit while it is away', times: edits, lost },
      ])
      const wrong = broken.map(told => reportOn(told, told.found))
      failWith([...endless, ...wrong], seeds.with.count)
      expect(outages.length).toBeGreaterThan(0)
      // Which of few histories meets an outage with an edit is chance.
      if (seeds.with.count >= MANY) expect(edits).toBeGreaterThan(0)
    },
    patienceFor(seeds.with),
  )

  test(
    'without it an edit that comes meanwhile is lost as the docs say, and nothing else',
    async () => {
      const ran = await run(false)
      const { all, endless, outages } = ran
      const edits = all.flatMap(told => missed(ran, told)).length
      const lost = counted(all.flatMap(({ found }) => found.map(lawOf)))
      reportFaults('outages-without-policy', [
        { fault: 'the webhook is killed, without the policy', times: outages.length, lost },
        { fault: 'an edit while it is away', times: edits, lost },
      ])
      const unexcused = all.flatMap(told => {
        const found = told.found.filter(breach => !isExcused(ran, told, breach))
        return found.length > 0 ? [reportOn(told, found)] : []
      })
      failWith([...endless, ...unexcused], seeds.without.count)
      expect(outages.length).toBeGreaterThan(0)
      if (seeds.without.count >= MANY) expect(edits).toBeGreaterThan(0)
    },
    patienceFor(seeds.without),
  )
})
