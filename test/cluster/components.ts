// The five programs of the local control plane and the flags that each one runs with. Everything
// listens on loopback alone, and what need not listen does not.

import { join } from 'node:path'

import { stringify } from 'yaml'

import type { CredentialFiles } from './credentials.ts'
import type { Command } from './processes.ts'
import type { Programs } from './programs.ts'

/** The components in the order in which they start. */
export const components = [
  'etcd',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'kwok',
] as const

/** A part of the control plane that can be stopped and started by itself. */
export type ComponentName = (typeof components)[number]

/** Everything the flags depend on. */
export interface Layout {
  /** The cluster's folder; all that the programs write lies in it. */
  readonly dir: string
  readonly etcdPort: number
  readonly apiPort: number
  readonly programs: Programs
  readonly credentials: CredentialFiles
  /** Come after all others, and so win. */
  readonly apiServerFlags?: readonly string[]
}

/** The command of every component; the folders `dir` and `dir`/logs must exist. */
export function componentCommands(layout: Layout): Readonly<Record<ComponentName, Command>> {
  const command = (name: ComponentName, args: readonly string[]): Command => ({
    program: layout.programs[name],
    args,
    log: logFile(layout.dir, name),
  })
  const kubeconfigs = layout.credentials.kubeconfigs
  return {
    etcd: command('etcd', etcdArguments(layout)),
    'kube-apiserver': command('kube-apiserver', apiServerArguments(layout)),
    'kube-controller-manager': command(
      'kube-controller-manager',
      controllerManagerArguments(layout),
    ),
    'kube-scheduler': command('kube-scheduler', [
      `--config=${schedulerConfigFile(layout.dir)}`,
      '--secure-port=0',
    ]),
    kwok: command('kwok', [
      `--kubeconfig=${kubeconfigs.kwok}`,
      `--config=${join(import.meta.dirname, 'kwok.yaml')}`,
      '--manage-all-nodes',
      '--node-lease-duration-seconds=40',
      '--node-ip=127.0.0.1',
      '--node-port=0',
      // The default, a /24, is too small for thousands of pods.
      '--cidr=10.240.0.0/16',
    ]),
  }
}

/** Where the output of a component goes. */
export function logFile(dir: string, name: ComponentName): string {
  return join(dir, 'logs', `${name}.log`)
}

/** Where the API server writes one JSON line per write request. */
export function auditLogFile(dir: string): string {
  return join(dir, 'audit.log')
}

/** Where the scheduler reads its configuration. */
export function schedulerConfigFile(dir: string): string {
  return join(dir, 'scheduler.yaml')
}

/** The scheduler's configuration: its rate limits have no flags. */
export function schedulerConfig(kubeconfig: string): string {
  return stringify({
    apiVersion: 'kubescheduler.config.k8s.io/v1',
    kind: 'KubeSchedulerConfiguration',
    clientConnection: { kubeconfig, qps: 500, burst: 1000 },
    leaderElection: { leaderElect: false },
  })
}

function etcdArguments(layout: Layout): readonly string[] {
  const clients = etcdUrl(layout.etcdPort)
  // There are no peers; port 0 lets the system choose one that nobody asks for.
  const peers = 'http://127.0.0.1:0'
  return [
    `--data-dir=${join(layout.dir, 'etcd')}`,
    '--unsafe-no-fsync',
    '--log-level=warn',
    `--listen-client-urls=${clients}`,
    `--advertise-client-urls=${clients}`,
    `--listen-peer-urls=${peers}`,
    `--initial-advertise-peer-urls=${peers}`,
    `--initial-cluster=default=${peers}`,
  ]
}

/** Where etcd serves its clients: gRPC, and JSON under /v3. */
export function etcdUrl(port: number): string {
  return `http://127.0.0.1:${port}`
}

function apiServerArguments(layout: Layout): readonly string[] {
  const files = layout.credentials
  return [
    `--etcd-servers=${etcdUrl(layout.etcdPort)}`,
    '--bind-address=127.0.0.1',
    '--advertise-address=127.0.0.1',
    `--secure-port=${layout.apiPort}`,
    // Endpoints may not be loopback addresses, so `kubernetes` in `default` has none.
    '--endpoint-reconciler-type=none',
    `--cert-dir=${join(layout.dir, 'credentials')}`,
    `--tls-cert-file=${files.servingCertificate}`,
    `--tls-private-key-file=${files.servingKey}`,
    `--token-auth-file=${files.tokens}`,
    `--client-ca-file=${files.ca}`,
    '--authorization-mode=RBAC',
    '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
    `--service-account-key-file=${files.serviceAccountPublicKey}`,
    `--service-account-signing-key-file=${files.serviceAccountKey}`,
    '--service-cluster-ip-range=10.96.0.0/16',
    '--allow-privileged',
    `--audit-policy-file=${join(import.meta.dirname, 'audit-policy.yaml')}`,
    `--audit-log-path=${auditLogFile(layout.dir)}`,
    // A log that is rotated has lost its beginning for whoever counts in it.
    '--audit-log-maxsize=4096',
    ...(layout.apiServerFlags ?? []),
  ]
}

function controllerManagerArguments(layout: Layout): readonly string[] {
  const files = layout.credentials
  return [
    `--kubeconfig=${files.kubeconfigs['kube-controller-manager']}`,
    '--leader-elect=false',
    '--secure-port=0',
    // As in clusters of kubeadm: each controller writes under its own name.
    '--use-service-account-credentials',
    `--service-account-private-key-file=${files.serviceAccountKey}`,
    `--root-ca-file=${files.ca}`,
    // Its default of 20 requests a second hides every difference in speed.
    '--kube-api-qps=500',
    '--kube-api-burst=1000',
    '--horizontal-pod-autoscaler-sync-period=2s',
  ]
}
