// A certificate that somebody else keeps, cert-manager say: two files, which the kubelet exchanges by a
// symbolic link. They are read again every few seconds. What is not good is told and not taken over
// while what is served was read before.

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

import { covers, expiry, matches } from './authority.ts'
import type { Names, Pair } from './authority.ts'
import { startChecks } from './checks.ts'
import type { Rotation } from './rotation.ts'

/** Which files, and whom to tell. */
export interface FilesOptions {
  /** The folder of `tls.crt` (with its chain, if there is one) and `tls.key`. */
  readonly dir: string
  readonly names: Names
  /** Time between looks in milliseconds, 5 s unless given. */
  readonly checkMs?: number
  /** The wall clock in epoch milliseconds. */
  readonly now?: () => number
  /** Called with each later certificate. */
  readonly onChange: (pair: Pair) => void
  /** Told once of each thing that is wrong with the files. */
  readonly onError: (error: unknown) => void
}

/** The certificate in the files. */
export type Followed = Pick<Rotation, 'check' | 'stop'> & { readonly current: () => Pair }

/** Reads the certificate and follows it. Throws one line where there is none that can be served. */
export async function followFiles(options: FilesOptions): Promise<Followed> {
  let current = await readGood(options)
  let told = ''
  const look = async () => {
    try {
      const next = await readGood(options)
      told = ''
      if (checks.stopped() || (next.cert === current.cert && next.key === current.key)) return
      options.onChange(next)
      current = next
    } catch (error) {
      if (checks.stopped() || String(error) === told) return
      told = String(error)
      options.onError(error)
    }
  }
  const checks = startChecks(look, options.checkMs ?? 5_000)
  const { check, stop } = checks
  return { current: () => current, check, stop }
}

async function readGood({ dir, names, now = Date.now }: FilesOptions): Promise<Pair> {
  const first = await read(dir)
  // One of each: the kubelet has exchanged them between the two.
  const pair = matches(first) ? first : await read(dir)
  const wrong = faultOf(pair, names, now())
  if (wrong !== undefined) throw new Error(`--certificate-dir: ${join(dir, 'tls.crt')} ${wrong}`)
  return pair
}

async function read(dir: string): Promise<Pair> {
  const text = async (name: string) => {
    const path = join(dir, name)
    try {
      return await readFile(path, 'utf8')
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      throw new Error(`--certificate-dir: cannot read ${path}: ${code}`, { cause: error })
    }
  }
  return { cert: await text('tls.crt'), key: await text('tls.key') }
}

function faultOf(pair: Pair, names: Names, now: number): string | undefined {
  if (!matches(pair)) return 'and tls.key are no certificate and its key'
  const end = expiry(pair.cert)
  if (now >= end) return `ended at ${new Date(end).toISOString()}: renew it`
  if (covers(pair.cert, names)) return undefined
  return `is not for ${[...names.dnsNames, ...names.ips].join(' and ')}: issue it for that name`
}
