// What is said between a test and the process inside its network namespace.

/** The first message: what to start. */
export interface Begin {
  /** The port of loopback at which the API server is reached, and the socket that leads there. */
  readonly api: { readonly port: number; readonly socket: string }
  readonly gateway: GatewayCommand
  readonly load: Load
}

/** How the gateway is started. */
export interface GatewayCommand {
  readonly program: string
  readonly args: readonly string[]
  readonly env: Readonly<Record<string, string>>
}

/** Who asks how often. */
export interface Load {
  /** Of the gateway, on loopback. */
  readonly port: number
  readonly perSecond: number
}

/** Every further message of the test. */
export type Asked =
  | { readonly serve: Served }
  | { readonly gone: string }
  | { readonly requests: readonly Request[] }

/** A pod that is to answer. */
export interface Served {
  readonly address: string
  readonly port: number
  readonly version: string
}

/** One of those that are sent in turn. */
export interface Request {
  readonly name: string
  readonly host: string
  readonly headers: Readonly<Record<string, string>>
}

/** What the process tells. */
export type Told =
  | { readonly served: string }
  | { readonly routed: Routed }
  | { readonly answer: Answer }

/** By what the gateway routes from now on. */
export interface Routed {
  readonly rules: readonly RoutedRule[]
}

/** One rule. */
export interface RoutedRule {
  readonly rule: string
  readonly backends: readonly {
    readonly name: string
    readonly weight: number
    /** Such as 10.240.0.7:80. */
    readonly servers: readonly string[]
  }[]
}

/** What became of a request. */
export interface Answer {
  /** Of the request. */
  readonly name: string
  /** Epoch milliseconds. */
  readonly begunAt: number
  /** Of the pod that answered; undefined: it failed. */
  readonly version?: string
  readonly failure?: string
}
