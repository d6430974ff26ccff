// What traffic scripts have answered. A decision does not wait for one: it says what is to be run, and the
// next one finds the answer. What was asked is not asked again while its answer is known.

import { scriptKey } from '#core/script.ts'
import type { Answers, ScriptAnswer, ScriptCall, ScriptRunner } from '#core/script.ts'
import type { Instant } from '#core/time.ts'

/** Runs scripts, and remembers what they answered. */
export interface Scripts {
  readonly answers: Answers
  /** Runs one, unless it runs; `done` is called when its answer is there. */
  readonly run: (call: ScriptCall, done: () => void) => void
}

/** Beyond it the answer that was given the longest ago is forgotten. */
const KNOWN = 200

/** Nothing is known yet. */
export function createScripts(runner: ScriptRunner, now: () => Instant): Scripts {
  const answers = new Map<string, ScriptAnswer>()
  const waiting = new Map<string, (() => void)[]>()
  const answered = (key: string, answer: ScriptAnswer) => {
    answers.delete(key)
    answers.set(key, answer)
    for (const oldest of answers.keys()) {
      if (answers.size <= KNOWN) break
      answers.delete(oldest)
    }
    const told = waiting.get(key) ?? []
    waiting.delete(key)
    for (const done of told) done()
  }
  return {
    answers,
    run(call, done) {
      const key = scriptKey(call)
      const running = waiting.get(key)
      if (running) {
        running.push(done)
        return
      }
      waiting.set(key, [done])
      void runner.run(call.script, call.input).then(outcome => {
        answered(key, { ...outcome, at: now() })
      })
    },
  }
}
