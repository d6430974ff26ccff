// How an API server is reached.

/** Certificates of one TLS connection, as node:tls takes them. */
export interface TlsMaterial {
  readonly ca?: string | Buffer
  readonly cert?: string | Buffer
  readonly key?: string | Buffer
  readonly servername?: string
  readonly rejectUnauthorized?: boolean
}

/** How to reach one API server. */
export interface Connection {
  /** Such as `https://10.0.0.1:443`; a path in it comes before every request's path. */
  readonly server: string
  /** For messages: where this comes from. */
  readonly source: string
  /** Namespace of the pod or of the kubeconfig's context; `default` if it names none. */
  readonly namespace: string
  /** Asked for every new TCP connection. */
  readonly tls: () => Promise<TlsMaterial>
  /** Credential headers, asked for every request; `fresh` after the server has refused the last. */
  readonly headers: (fresh: boolean) => Promise<Readonly<Record<string, string>>>
}
