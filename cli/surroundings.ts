// Where a command works, and by what it speaks.

import type { Environment } from '#kube/connect.ts'

/** Where a command line is run. */
export interface Surroundings {
  readonly env: Environment
  /** Writes a line, or lines, of the result. */
  readonly print: (text: string) => void
  /** Writes a line beside the result: what failed, or is to be known. */
  readonly complain: (text: string) => void
}

/** Where a work says what it does, and what may end it between two workloads. */
export type Saying = Pick<Surroundings, 'print' | 'complain'> & { readonly stop?: AbortSignal }
