// What is said between a test and its cluster inside a network namespace.

/** The only message of the test: what to start. */
export interface Begin {
  /** The file tree of the image. */
  readonly tree: string
  /** The socket that is to lead to the API server. */
  readonly socket: string
  readonly apiServerFlags: readonly string[]
}

/** What the cluster tells. */
export type Told =
  /** It runs: its folder. */
  | { readonly cluster: string }
  /** A line of the log of a pod. */
  | { readonly line: string }
  /** The process of a deleted pod has ended: its name. */
  | { readonly ended: string }
