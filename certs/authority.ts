// The certificate authority of the webhook: makes a CA, issues serving certificates from it, and
// answers questions about PEMs. One idea: forge makes certificates, Node's own X509Certificate
// reads them, so what is called good here is good to the TLS stack that serves it.

import { X509Certificate, createPrivateKey, randomBytes } from 'node:crypto'
import { isIP } from 'node:net'
import { promisify } from 'node:util'

import forge from 'node-forge'

const dayMs = 24 * 60 * 60 * 1000

/** How far `notBefore` lies in the past, in milliseconds: room for API servers with slow clocks. */
export const BACKDATE_MS = 60 * 60 * 1000

/** A certificate and its private key, both PEM. */
export interface Pair {
  readonly cert: string
  readonly key: string
}

/** What a serving certificate has to be valid for. At least one name or address. */
export interface Names {
  readonly dnsNames: readonly string[]
  readonly ips: readonly string[]
}

/** When a certificate begins and ends: `now` in epoch milliseconds, `days` from then on. */
export interface Lifetime {
  readonly now: number
  readonly days: number
}

/** Makes a self-signed CA (RSA 2048) that may sign serving certificates and nothing else. */
export async function createAuthority(lifetime: Lifetime): Promise<Pair> {
  const keys = await newKeys()
  const certificate = blank(keys.publicKey, lifetime.now, lifetime.now + lifetime.days * dayMs)
  // Two CAs live side by side during a renewal: a name of its own keeps verifiers from mixing them.
  const name = subject(`${authorityPrefix}${certificate.serialNumber.slice(0, 12)}`)
  certificate.setSubject(name)
  certificate.setIssuer(name)
  certificate.setExtensions([
    { name: 'basicConstraints', cA: true, pathLenConstraint: 0, critical: true },
    { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
    { name: 'subjectKeyIdentifier' },
  ])
  certificate.sign(keys.privateKey, forge.md.sha256.create())
  return pair(certificate, keys.privateKey)
}

/**
 * Issues a serving certificate (RSA 2048, serverAuth) for all of the names, never outliving the
 * CA. Throws when there is no name at all or an address is not an IP.
 */
export async function issue(authority: Pair, wanted: Names & Lifetime): Promise<Pair> {
  const altNames = alternativeNames(wanted)
  const keys = await newKeys()
  const ca = forge.pki.certificateFromPem(authority.cert)
  const end = Math.min(wanted.now + wanted.days * dayMs, expiry(authority.cert))
  const certificate = blank(keys.publicKey, wanted.now, end)
  // A Service's DNS name may be longer than the 64 characters of a common name.
  certificate.setSubject(subject('sluice-webhook'))
  certificate.setIssuer(ca.subject.attributes)
  certificate.setExtensions([
    { name: 'basicConstraints', cA: false, critical: true },
    { name: 'keyUsage', digitalSignature: true, keyEncipherment: true, critical: true },
    { name: 'extKeyUsage', serverAuth: true },
    { name: 'subjectAltName', altNames },
    { name: 'subjectKeyIdentifier' },
    {
      name: 'authorityKeyIdentifier',
      keyIdentifier: ca.generateSubjectKeyIdentifier().getBytes(),
    },
  ])
  certificate.sign(forge.pki.privateKeyFromPem(authority.key), forge.md.sha256.create())
  return pair(certificate, keys.privateKey)
}

/** When the certificate ends, in epoch milliseconds. Throws on what is not a PEM certificate. */
export function expiry(pem: string): number {
  return new X509Certificate(pem).validToDate.getTime()
}

/** When the certificate begins, in epoch milliseconds. Throws on what is not a PEM certificate. */
export function beginning(pem: string): number {
  return new X509Certificate(pem).validFromDate.getTime()
}

/** Whether the certificate is valid for every one of the names. False for an unreadable PEM. */
export function covers(pem: string, names: Names): boolean {
  const certificate = read(pem)
  if (!certificate) return false
  return (
    names.dnsNames.every(name => certificate.checkHost(name, { subject: 'never' }) !== undefined) &&
    names.ips.every(ip => certificate.checkIP(ip) !== undefined)
  )
}

/** Whether the CA really signed the certificate. False when one of them is unreadable. */
export function signedBy(pem: string, caPem: string): boolean {
  const certificate = read(pem)
  const ca = read(caPem)
  if (!certificate || !ca) return false
  return ca.ca && certificate.checkIssued(ca) && certificate.verify(ca.publicKey)
}

/** Whether certificate and private key belong together. False when one of them is unreadable. */
export function matches(candidate: Pair): boolean {
  try {
    return new X509Certificate(candidate.cert).checkPrivateKey(createPrivateKey(candidate.key))
  } catch {
    return false
  }
}

/** The certificates in a text, each a PEM of its own; what is not a certificate is left out. */
export function certificatesIn(text: string): string[] {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
  return blocks.map(block => `${block}\n`).filter(pem => read(pem) !== undefined)
}

/** Whether this is a CA that `createAuthority` made. False for an unreadable PEM. */
export function isOurAuthority(pem: string): boolean {
  const certificate = read(pem)
  return certificate?.ca === true && certificate.subject.includes(`CN=${authorityPrefix}`)
}

const authorityPrefix = 'sluice-ca-'

const generateKeyPair = promisify<forge.pki.rsa.GenerateKeyPairOptions, forge.pki.rsa.KeyPair>(
  (options, done) => forge.pki.rsa.generateKeyPair(options, done),
)

function newKeys(): Promise<forge.pki.rsa.KeyPair> {
  return generateKeyPair({ bits: 2048, e: 0x10001 })
}

function blank(publicKey: forge.pki.PublicKey, now: number, end: number): forge.pki.Certificate {
  const certificate = forge.pki.createCertificate()
  certificate.publicKey = publicKey
  certificate.serialNumber = serial()
  certificate.validity.notBefore = new Date(now - BACKDATE_MS)
  certificate.validity.notAfter = new Date(end)
  return certificate
}

function serial(): string {
  const bytes = randomBytes(16)
  // DER integers are signed and minimal: the first byte is positive and not zero.
  bytes[0] = (bytes.readUInt8(0) & 0x3f) | 0x40
  return bytes.toString('hex')
}

function subject(commonName: string): forge.pki.CertificateField[] {
  return [
    { name: 'organizationName', value: 'sluice' },
    { name: 'commonName', value: commonName },
  ]
}

function alternativeNames({ dnsNames, ips }: Names): object[] {
  if (dnsNames.length + ips.length === 0) {
    throw new Error('certificate: dnsNames and ips are both empty, name at least one')
  }
  const wrong = ips.find(ip => isIP(ip) === 0)
  if (wrong !== undefined) {
    throw new Error(`certificate: ips holds "${wrong}", which is not an IP address`)
  }
  return [...dnsNames.map(value => ({ type: 2, value })), ...ips.map(ip => ({ type: 7, ip }))]
}

function pair(certificate: forge.pki.Certificate, key: forge.pki.PrivateKey): Pair {
  return {
    cert: unixLines(forge.pki.certificateToPem(certificate)),
    key: unixLines(forge.pki.privateKeyToPem(key)),
  }
}

// forge ends lines with CRLF, everything else in a cluster with LF.
function unixLines(pem: string): string {
  return pem.replaceAll('\r\n', '\n')
}

function read(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem)
  } catch {
    return undefined
  }
}
