// Traffic scripts: Lua that says how an object looks for a share of the requests. The core knows what
// goes in and what comes out; who runs them is given to it.

import { canonical } from './digest.ts'
import type { Instant } from './time.ts'

/** A script, ours or somebody's own. */
export interface Script {
  /** Where it stands, in words that begin a sentence. */
  readonly name: string
  readonly text: string
  /** What its owner can do where it fails, in words that end a sentence. */
  readonly remedy: string
}

/** What became of one run. */
export type ScriptOutcome =
  /** The table that the script returned, as JSON would say it. */
  | { readonly returned: unknown }
  /**
   * A sentence that names the script, the line where it is known, and what to do. `lasting`: with the same
   * input it always ends so. Else it took too long, which a busy machine may be the reason for.
   */
  | { readonly mistake: string; readonly lasting: boolean }

/** Runs scripts. */
export interface ScriptRunner {
  /** The input is plain JSON: the script finds it in its global `obj`. Never throws. */
  run(script: Script, input: unknown): Promise<ScriptOutcome>
}

/** Found, or a sentence that says what is missing and what to do. */
export type FoundScript = Script | { readonly missing: string }

/** It is there. */
export function isScript(found: FoundScript | undefined): found is Script {
  return found !== undefined && 'text' in found
}

/** A script, and what it is given. */
export interface ScriptCall {
  readonly script: Script
  readonly input: unknown
}

/** What one has answered, and when. */
export type ScriptAnswer = ScriptOutcome & { readonly at: Instant }

/** All that are known, by `scriptKey`. */
export type Answers = ReadonlyMap<string, ScriptAnswer>

/** Equal calls have equal answers. */
export function scriptKey({ script, input }: ScriptCall): string {
  return canonical([script.text, input])
}
