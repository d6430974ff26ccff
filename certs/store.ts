// Where certificates live. A store reads what is there, however broken, and writes only over what
// was read: of two replicas that renew at once one wins, and the other goes on with the winner's.

import { AlreadyExists, Conflict, NotFound } from '#kube/errors.ts'
import { SECRETS } from '#kube/resources.ts'
import type { KubeClient } from '#kube/client.ts'
import type { ObjectRef, Secret } from '#kube/resources.ts'

/** CA and serving certificate, all PEM. */
export interface Material {
  readonly caCert: string
  readonly caKey: string
  /** The CA before this one, trusted until it expires; its key is gone. */
  readonly caPrevious?: string
  readonly cert: string
  readonly key: string
}

/** What a store holds: any part may be missing or unreadable. */
export interface Stored {
  readonly material: Partial<Material>
  /** What a write is guarded by; absent where nothing is stored. */
  readonly version?: string
}

/** A place for certificates. Trouble with the place itself throws what the place throws. */
export interface CertificateStore {
  /** Reads what is there now. */
  readonly read: () => Promise<Stored>
  /** Writes over what was read and gives what is there then: another's, if that was faster. */
  readonly write: (material: Material, over: Stored) => Promise<Stored>
}

/** Keeps certificates for the life of the process: development, and one replica. */
export function inMemory(): CertificateStore {
  let stored: Stored = { material: {} }
  return {
    read: () => Promise.resolve(stored),
    write(material, over) {
      if (over.version === stored.version) {
        stored = { material, version: String(Number(stored.version ?? 0) + 1) }
      }
      return Promise.resolve(stored)
    },
  }
}

/** Keeps certificates in one Secret, which all replicas share and which is touched by name only. */
export function inSecret(client: KubeClient, ref: Required<ObjectRef>): CertificateStore {
  const read = async () => {
    try {
      return fromSecret(await client.get(SECRETS, ref))
    } catch (error) {
      if (error instanceof NotFound) return { material: {} }
      throw error
    }
  }

  const put = (data: Data, version: string | undefined) =>
    version === undefined
      ? client.create(SECRETS, newSecret(ref, data))
      : client.mergePatch(SECRETS, ref, { metadata: { resourceVersion: version }, data })

  return {
    read,
    async write(material, over) {
      try {
        return fromSecret(await put(toData(material), over.version))
      } catch (error) {
        const overtaken =
          error instanceof AlreadyExists || error instanceof Conflict || error instanceof NotFound
        // NotFound of a patch means deleted in between, of a create that the namespace is missing.
        if (!overtaken || (error instanceof NotFound && over.version === undefined)) throw error
        return read()
      }
    },
  }
}

type Data = Readonly<Record<string, string | null>>

const keys: Readonly<Record<keyof Material, string>> = {
  caCert: 'ca.crt',
  caKey: 'ca.key',
  caPrevious: 'ca-previous.crt',
  cert: 'tls.crt',
  key: 'tls.key',
}

function fromSecret(secret: Secret): Stored {
  const material: Partial<Record<keyof Material, string>> = {}
  for (const field of Object.keys(keys) as (keyof Material)[]) {
    const value = secret.data?.[keys[field]]
    if (value) material[field] = Buffer.from(value, 'base64').toString('utf8')
  }
  const version = secret.metadata.resourceVersion
  return version === undefined ? { material } : { material, version }
}

// In a merge patch null removes a key, so a previous CA that is over leaves the Secret.
function toData(material: Material): Data {
  const entries = (Object.keys(keys) as (keyof Material)[]).map(field => {
    const pem = material[field]
    return [keys[field], pem === undefined ? null : Buffer.from(pem).toString('base64')] as const
  })
  return Object.fromEntries(entries)
}

function newSecret(ref: Required<ObjectRef>, data: Data): Secret {
  const present = Object.entries(data).filter((entry): entry is [string, string] => !!entry[1])
  return {
    apiVersion: SECRETS.apiVersion,
    kind: SECRETS.kind,
    metadata: { name: ref.name, namespace: ref.namespace },
    type: 'Opaque',
    data: Object.fromEntries(present),
  }
}
