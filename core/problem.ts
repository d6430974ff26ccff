// One thing that is wrong with an object, in words that a person can act on.

/** What is wrong with one field, and what to write instead. */
export interface Problem {
  /** Where, as a JSON path: `spec.strategy.canary.steps[1].replicas`. */
  readonly field: string
  readonly message: string
}

/** All problems as one line of text: `field: message; field: message`. */
export function formatProblems(problems: readonly Problem[]): string {
  return problems.map(({ field, message }) => `${field}: ${message}`).join('; ')
}
