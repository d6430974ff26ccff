// Who may talk to the local API server, and how it proves itself: one CA, one serving certificate,
// one token per program. Each program has a name of its own, so the audit log tells who wrote what.

import { generateKeyPair, randomBytes } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

import forge from 'node-forge'
import { stringify } from 'yaml'

/** How one user reaches an API server. */
export interface Access {
  readonly url: string
  /** PEM. */
  readonly ca: string
  readonly token: string
}

/** The files of the credentials, by absolute path. */
export interface CredentialFiles {
  readonly ca: string
  readonly caKey: string
  readonly servingCertificate: string
  readonly servingKey: string
  readonly serviceAccountKey: string
  readonly serviceAccountPublicKey: string
  readonly tokens: string
  /** The kubeconfig of each user. */
  readonly kubeconfigs: Readonly<Record<User, string>>
}

const users = {
  admin: { name: 'admin', groups: ['system:masters'] },
  'kube-controller-manager': { name: 'system:kube-controller-manager', groups: [] },
  'kube-scheduler': { name: 'system:kube-scheduler', groups: [] },
  // It plays every kubelet, which no role of Kubernetes covers.
  kwok: { name: 'kwok', groups: ['system:masters'] },
} as const satisfies Record<string, { name: string; groups: readonly string[] }>

/** Everybody who has a kubeconfig. */
type User = keyof typeof users

/** Makes all credentials for an API server at `url`, as files readable by the owner alone. */
export async function writeCredentials(
  dir: string,
  url: string,
): Promise<{ readonly files: CredentialFiles; readonly admin: Access }> {
  const folder = join(dir, 'credentials')
  await mkdir(folder, { recursive: true })
  const put = async (name: string, text: string, at = folder) => {
    const file = join(at, name)
    await writeFile(file, text, { mode: 0o600 })
    return file
  }
  const [caKey, servingKey, accountKey] = await Promise.all([rsaKey(), rsaKey(), rsaKey()])
  const ca = certificate({ commonName: caName, key: caKey, issuerKey: caKey })
  const serving = certificate({
    commonName: 'kube-apiserver',
    key: servingKey,
    issuerKey: caKey,
    issuer: caName,
  })

  const tokens: string[] = []
  const kubeconfigs: Partial<Record<User, string>> = {}
  let admin: Access = { url, ca, token: '' }
  for (const user of Object.keys(users) as User[]) {
    const access = { url, ca, token: randomBytes(24).toString('base64url') }
    if (user === 'admin') admin = access
    tokens.push(`${access.token},${users[user].name},${user},"${users[user].groups.join(',')}"`)
    const text = kubeconfigOf(user, access)
    kubeconfigs[user] =
      user === 'admin' ? await put('kubeconfig', text, dir) : await put(`${user}.kubeconfig`, text)
  }
  const files = {
    ca: await put('ca.crt', ca),
    caKey: await put('ca.key', caKey.privateKey),
    servingCertificate: await put('serving.crt', serving),
    servingKey: await put('serving.key', servingKey.privateKey),
    serviceAccountKey: await put('service-account.key', accountKey.privateKey),
    serviceAccountPublicKey: await put('service-account.pub', accountKey.publicKey),
    tokens: await put('tokens.csv', `${tokens.join('\n')}\n`),
    kubeconfigs: kubeconfigs as Record<User, string>,
  }
  return { files, admin }
}

/** A certificate by which a client of the API server says who it is, and its key, both PEM. */
export interface ClientCertificate {
  readonly cert: string
  readonly key: string
}

/** Whom a client certificate is for, and how long it is good, in milliseconds. */
export interface ClientRequest {
  readonly user: string
  readonly groups: readonly string[]
  readonly validMs: number
}

/** Issues a client certificate from the CA of the cluster in a folder. */
export async function issueClientCertificate(
  dir: string,
  { user, groups, validMs }: ClientRequest,
): Promise<ClientCertificate> {
  const read = (name: string) => readFile(join(dir, 'credentials', name), 'utf8')
  const key = await rsaKey()
  const issuerKey = { privateKey: await read('ca.key'), publicKey: '' }
  const fields = groups.map(value => ({ name: 'organizationName', value }))
  const request = { commonName: user, fields, key, issuerKey, issuer: caName, validMs }
  return { cert: certificate({ ...request, usage: { clientAuth: true } }), key: key.privateKey }
}

interface KeyPair {
  readonly privateKey: string
  readonly publicKey: string
}

function rsaKey(): Promise<KeyPair> {
  return promisify(generateKeyPair)('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  })
}

interface CertificateRequest {
  readonly commonName: string
  readonly key: KeyPair
  readonly issuerKey: KeyPair
  /** The CA's common name; without it the certificate is a CA that signs itself. */
  readonly issuer?: string
  /** Beside the common name. */
  readonly fields?: readonly forge.pki.CertificateField[]
  /** A year unless given. */
  readonly validMs?: number
  /** Of a server unless given. */
  readonly usage?: { readonly clientAuth: true }
}

const caName = 'sluice-local-ca'
const yearMs = 365 * 24 * 3_600_000

function certificate(request: CertificateRequest): string {
  const result = forge.pki.createCertificate()
  const isCa = request.issuer === undefined
  result.publicKey = forge.pki.publicKeyFromPem(request.key.publicKey)
  // A leading 0 byte would make a longer, a leading 1 bit a negative number.
  result.serialNumber = `1${randomBytes(8).toString('hex').slice(1)}`
  const now = Date.now()
  result.validity.notBefore = new Date(now - 3_600_000)
  result.validity.notAfter = new Date(now + (request.validMs ?? yearMs))
  const { commonName, fields = [] } = request
  result.setSubject([...fields, { name: 'commonName', value: commonName }])
  result.setIssuer([{ name: 'commonName', value: request.issuer ?? request.commonName }])
  result.setExtensions(isCa ? caExtensions : extensionsOf(request))
  result.sign(forge.pki.privateKeyFromPem(request.issuerKey.privateKey), forge.md.sha256.create())
  return forge.pki.certificateToPem(result)
}

function extensionsOf({ usage }: CertificateRequest): object[] {
  return usage ? [{ name: 'extKeyUsage', ...usage }] : servingExtensions
}

const caExtensions = [
  { name: 'basicConstraints', cA: true, critical: true },
  { name: 'keyUsage', keyCertSign: true, critical: true },
]
const servingExtensions = [
  { name: 'basicConstraints', cA: false },
  { name: 'keyUsage', digitalSignature: true, keyEncipherment: true, critical: true },
  { name: 'extKeyUsage', serverAuth: true },
  {
    name: 'subjectAltName',
    altNames: [
      { type: 7, ip: '127.0.0.1' },
      { type: 2, value: 'localhost' },
      { type: 2, value: 'kubernetes.default.svc' },
    ],
  },
]

function kubeconfigOf(user: User, access: Access): string {
  const authority = Buffer.from(access.ca).toString('base64')
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [
      {
        name: 'sluice',
        cluster: { server: access.url, 'certificate-authority-data': authority },
      },
    ],
    users: [{ name: user, user: { token: access.token } }],
    contexts: [{ name: 'sluice', context: { cluster: 'sluice', user } }],
    'current-context': 'sluice',
  })
}
