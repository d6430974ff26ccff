// What becomes of the answer of a script.

import type { Move } from '../move.ts'
import { isScript, scriptKey } from '../script.ts'
import type { Answers, FoundScript } from '../script.ts'
import type { Instant } from '../time.ts'

/** After so long a script that took too long is tried again. */
const AGAIN_MS = 10_000

/** What a script returned; or what is to be done, or waited for, until it has. */
export function answerTo(
  answers: Answers,
  { script, input }: { readonly script: FoundScript | undefined; readonly input: unknown },
  now: Instant,
): { readonly returned: unknown; readonly name: string } | { readonly wait: Move } {
  if (!isScript(script)) return { wait: { changes: [], why: script?.missing ?? '', blocked: true } }
  const call = { script, input }
  const answer = answers.get(scriptKey(call))
  if (!answer) return { wait: { changes: [], why: `running ${script.name}`, run: call } }
  if ('returned' in answer) return { returned: answer.returned, name: script.name }
  const stopped: Move = { changes: [], why: answer.mistake, blocked: true }
  if (answer.lasting) return { wait: stopped }
  const again = answer.at + AGAIN_MS
  return { wait: now < again ? { ...stopped, requeueAt: again } : { ...stopped, run: call } }
}
