// Traffic scripts: Lua that says how an object looks for a share of the requests. The core knows what
// goes in and what comes out; who runs them is given to it.

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
