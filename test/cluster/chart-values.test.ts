// What the values of the chart make of it, as both Helms render it. Spread, budgets and network
// policies need kubelets and network plugins to act: that they are rendered is all that is proven here.

import { join } from 'node:path'

import { describe, expect, inject, test } from 'vitest'
import { parseAllDocuments } from 'yaml'

import { mutatingConfiguration, validatingConfiguration } from '../../webhook/configuration.ts'
import { catchingPolicies, policyVersions } from '../../webhook/policy.ts'
import { tellingPolicy } from '../../webhook/telling-policy.ts'
import { readConfig as readControllerConfig } from '../../controller/config.ts'
import { readConfig as readWebhookConfig } from '../../webhook/config.ts'
import { helm, helm3 } from './commands.ts'
import { flagsOf } from './kubelet.ts'

interface Manifest {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly namespace?: string
    readonly labels?: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
  }
  readonly spec?: Readonly<Record<string, unknown>>
  readonly webhooks?: unknown
  readonly rules?: readonly {
    readonly resources: readonly string[]
    readonly verbs: readonly string[]
  }[]
  readonly data?: Readonly<Record<string, string>>
}

interface PodSpec {
  readonly containers: readonly {
    readonly args: readonly string[]
    readonly image: string
    readonly ports: readonly { readonly name: string; readonly containerPort: number }[]
    readonly volumeMounts?: readonly unknown[]
  }[]
  readonly volumes?: readonly unknown[]
  readonly terminationGracePeriodSeconds?: number
  readonly topologySpreadConstraints: readonly unknown[]
}

const chart = join(import.meta.dirname, '..', '..', 'charts', 'sluice')
const target = inject('cluster')
const namespace = 'guards'
/** Helm that `go install` has built takes every cluster for 1.20 where it asks none. */
const version = ['--kube-version', '1.36.0']

describe.each([
  ['Helm 3', helm3],
  ['Helm 4', helm],
] as const)('%s', (_, run) => {
  const template = async (...sets: readonly string[]) => {
    const args = ['template', 'sluice', chart, '--namespace', namespace, ...version]
    const more = sets.flatMap(set => (/^[^-].*=/.test(set) ? ['--set-json', set] : [set]))
    const { stdout } = await run(target, [...args, ...more])
    return parseAllDocuments(stdout).map(document => document.toJS() as Manifest)
  }
  const only = (manifests: readonly Manifest[], kind: string, name?: string) => {
    const found = manifests.filter(
      each => each.kind === kind && [undefined, each.metadata.name].includes(name),
    )
    expect(found, `${kind} ${name ?? ''}`).toHaveLength(1)
    return found[0]!
  }
  /** What happens to an edit that nobody answers; the probe is no edit. */
  const policiesOf = (manifests: readonly Manifest[]) => {
    const webhooks = only(manifests, 'MutatingWebhookConfiguration').webhooks as readonly {
      readonly name: string
      readonly failurePolicy: string
    }[]
    const edits = webhooks.filter(({ name }) => name !== 'probe.sluice.dev')
    return [...new Set(edits.map(({ failurePolicy }) => failurePolicy))]
  }
  const refusal = async (set: string) => {
    const args = ['template', 'sluice', chart, '--set-json', set, ...version]
    return (await run(target, args, { expectFailure: true })).stderr
  }

  test('lints', async () => {
    await run(target, ['lint', '--strict', chart])
  })

  test('registers what the code says', async () => {
    const manifests = await template('policy.enabled=false')
    const options = {
      name: 'sluice',
      service: { namespace, name: 'sluice-webhook' },
      failurePolicy: 'Fail',
      ownNamespace: namespace,
    } as const
    for (const { kind, webhooks } of [
      mutatingConfiguration(options),
      validatingConfiguration(options),
    ]) {
      expect(only(manifests, kind).webhooks).toEqual(webhooks)
    }
  })

  test('kinds of your own are registered and caught, watched and given back', async () => {
    const names = ['Shard', 'Ring']
    const extraKinds = names.map(kind => {
      const plural = `${kind.toLowerCase()}s`
      return { apiVersion: `${plural}.example.com/v1`, kind, plural }
    })
    const set = `extraKinds=${JSON.stringify(extraKinds)}`
    const [apiVersion] = policyVersions
    const served = ['--api-versions', `${apiVersion}/MutatingAdmissionPolicy`]
    const manifests = await template(set, ...served)
    const service = { namespace, name: 'sluice-webhook' }
    const shared = { name: 'sluice', ownNamespace: namespace, extraKinds }
    const { kind, webhooks } = mutatingConfiguration({
      ...shared,
      service,
      failurePolicy: 'Ignore',
    })
    expect(only(manifests, kind).webhooks).toEqual(webhooks)
    const policies = catchingPolicies({ ...shared, apiVersion })
    for (const { policy, binding } of [...policies, tellingPolicy({ ...shared, apiVersion })]) {
      for (const { kind: what, metadata, spec } of [policy, binding]) {
        expect(only(manifests, what, metadata.name).spec).toEqual(spec)
      }
    }
    expect(manifests.filter(each => each.kind === policies[0]!.policy.kind)).toHaveLength(
      policies.length,
    )
    for (const [name, read] of [
      ['sluice-webhook', readWebhookConfig],
      ['sluice-controller', readControllerConfig],
    ] as const) {
      const { args } = podOf(only(manifests, 'Deployment', name)).containers[0]!
      expect(read(flagsOf({ args }), {}).extraKinds).toEqual(extraKinds)
    }
    const { rules } = only(manifests, 'ClusterRole', 'sluice-controller')
    for (const { plural } of extraKinds) {
      const verbs = ['list', 'watch', 'patch']
      expect(rules).toContainEqual({
        apiGroups: [`${plural}.example.com`],
        resources: [plural],
        verbs,
      })
    }
  })

  test('kinds by which requests are moved are registered, read and given back', async () => {
    const routeKinds = [{ apiVersion: 'mesh.example.com/v1', kind: 'Lane', plural: 'lanes' }]
    const set = `traffic=${JSON.stringify({ enabled: true, extraKinds: routeKinds })}`
    const manifests = await template(set)
    const service = { namespace, name: 'sluice-webhook' }
    const shared = { name: 'sluice', ownNamespace: namespace, service, routeKinds }
    const { kind, webhooks } = mutatingConfiguration({ ...shared, failurePolicy: 'Fail' })
    const requests = webhooks.find(({ name }) => name === 'traffic.sluice.dev')
    expect(only(manifests, kind).webhooks).toContainEqual(requests)
    for (const [name, read] of [
      ['sluice-webhook', readWebhookConfig],
      ['sluice-controller', readControllerConfig],
    ] as const) {
      const { args } = podOf(only(manifests, 'Deployment', name)).containers[0]!
      expect(read(flagsOf({ args }), {})).toMatchObject({ routes: true, routeKinds })
    }
    const { rules } = only(manifests, 'ClusterRole', 'sluice-controller')
    const verbs = ['list', 'watch', 'patch']
    expect(rules).toContainEqual({
      apiGroups: ['mesh.example.com'],
      resources: ['lanes'],
      verbs,
    })
  })

  test('without the right to delete pods, the controller is told', async () => {
    const [all, few] = await Promise.all([template(), template('roles.deletePods=false')])
    for (const [manifests, deletePods] of [
      [all, true],
      [few, false],
    ] as const) {
      const { args } = podOf(only(manifests, 'Deployment', 'sluice-controller')).containers[0]!
      expect(readControllerConfig(flagsOf({ args }), {}).deletePods).toBe(deletePods)
      const { rules = [] } = only(manifests, 'ClusterRole', 'sluice-controller')
      const pods = rules.find(({ resources }) => resources.includes('pods'))
      expect(pods?.verbs.includes('delete')).toBe(deletePods)
    }
  })

  test('without the right to make Deployments, both are told', async () => {
    const [all, few] = await Promise.all([template(), template('roles.makeDeployments=false')])
    for (const [manifests, makeDeployments] of [
      [all, true],
      [few, false],
    ] as const) {
      for (const [name, readConfig] of [
        ['sluice-controller', readControllerConfig],
        ['sluice-webhook', readWebhookConfig],
      ] as const) {
        const { args } = podOf(only(manifests, 'Deployment', name)).containers[0]!
        expect(readConfig(flagsOf({ args }), {})).toMatchObject({ makeDeployments })
      }
      const { rules = [] } = only(manifests, 'ClusterRole', 'sluice-controller')
      const verbs = rules.flatMap(({ resources, verbs: each }) =>
        resources.includes('deployments') ? each : [],
      )
      expect(verbs.includes('create')).toBe(makeDeployments)
      expect(verbs.includes('delete')).toBe(makeDeployments)
    }
  })

  test('with namespaces, nobody is called, bound or watched elsewhere', async () => {
    const manifests = await template('policy.enabled=false', 'namespaces=["shop","stock"]')
    const options = {
      name: 'sluice',
      service: { namespace, name: 'sluice-webhook' },
      failurePolicy: 'Fail',
      ownNamespace: namespace,
      namespaces: ['shop', 'stock'],
    } as const
    for (const make of [mutatingConfiguration, validatingConfiguration]) {
      const { kind, webhooks } = make(options)
      expect(only(manifests, kind).webhooks).toEqual(webhooks)
    }
    const wide = manifests.filter(({ kind }) => kind === 'ClusterRoleBinding')
    const names = wide.map(({ metadata }) => metadata.name)
    expect(new Set(names)).toEqual(
      new Set(['sluice-webhook-registration', 'sluice-controller-registration']),
    )
    for (const name of ['sluice-webhook', 'sluice-controller']) {
      const { args } = podOf(only(manifests, 'Deployment', name)).containers[0]!
      expect(args).toContain('--namespaces=shop,stock')
    }
  })

  test.each(policyVersions)('where the cluster serves %s it gets the policy', async apiVersion => {
    const served = ['--api-versions', `${apiVersion}/MutatingAdmissionPolicy`]
    const manifests = await template('namespaces=["shop"]', ...served)
    const options = {
      name: 'sluice',
      // Helm knows of what its own libraries know, beside what it is told.
      apiVersion: only(manifests, 'MutatingAdmissionPolicy', 'sluice')
        .apiVersion as typeof apiVersion,
      ownNamespace: namespace,
      namespaces: ['shop'],
    }
    for (const { policy, binding } of [...catchingPolicies(options), tellingPolicy(options)]) {
      for (const { kind, metadata, spec } of [policy, binding]) {
        expect(only(manifests, kind, metadata.name).spec).toEqual(spec)
      }
    }
    expect(policiesOf(manifests)).toEqual(['Ignore'])
  })

  test('without the policy, or by value, nobody answers and the edit fails', async () => {
    const without = await template('policy.enabled=false')
    expect(without.filter(({ kind }) => kind.startsWith('MutatingAdmission'))).toEqual([])
    const strict = await template('webhook.failurePolicy="Fail"')
    for (const manifests of [without, strict]) {
      expect(policiesOf(manifests)).toEqual(['Fail'])
    }
  })

  test('failurePolicy is Ignore where a value says so', async () => {
    const manifests = await template('webhook.failurePolicy="Ignore"')
    expect(policiesOf(manifests)).toEqual(['Ignore'])
  })

  test('the processes understand their flags, and listen where their pods say', async () => {
    const manifests = await template(
      'webhook.drainSeconds=20',
      'controller.leaseSeconds=30',
      'certificates={"caDays":100,"servingDays":100}',
    )
    const env = { POD_NAMESPACE: namespace }
    const webhook = podOf(only(manifests, 'Deployment', 'sluice-webhook'))
    const controller = podOf(only(manifests, 'Deployment', 'sluice-controller'))
    const heard = readWebhookConfig(flagsOf(webhook.containers[0]!), env)
    expect(heard).toMatchObject({
      namespace,
      configuration: 'sluice',
      certificateSecret: 'sluice-webhook-certificate',
      caDays: 100,
      servingDays: 100,
      hosts: ['sluice-webhook.guards.svc'],
      controllerUser: 'system:serviceaccount:guards:sluice-controller',
      drainMs: 20_000,
    })
    expect(webhook.containers[0]!.ports).toEqual([
      { name: 'https', containerPort: heard.port },
      { name: 'probes', containerPort: heard.probesPort },
    ])
    expect(webhook.terminationGracePeriodSeconds).toBeGreaterThan(20 + 2 * 15)
    const led = readControllerConfig(flagsOf(controller.containers[0]!), env)
    expect(led).toMatchObject({ namespace, leaseName: 'sluice-controller', leaseMs: 30_000 })
    expect(controller.containers[0]!.ports).toEqual([
      { name: 'probes', containerPort: led.probesPort },
    ])
  })

  test('a certificate that outlives its CA is refused', async () => {
    const words =
      'certificates.servingDays: expected 60 at most, which is certificates.caDays, got 90'
    expect(await refusal('certificates.caDays=60')).toContain(words)
  })

  test('kinds that are known anyway are refused as further ones, in whatever version', async () => {
    const released = '{"apiVersion":"apps.kruise.io/v2","kind":"CloneSet","plural":"clonesets"}'
    expect(await refusal(`extraKinds=[${released}]`)).toContain(
      'extraKinds: apps.kruise.io/v2 CloneSet is released without being named here: take it out',
    )
    const route =
      '{"apiVersion":"gateway.networking.k8s.io/v1","kind":"GRPCRoute","plural":"grpcroutes"}'
    expect(await refusal(`traffic={"enabled":true,"extraKinds":[${route}]}`)).toContain(
      'traffic.extraKinds: gateway.networking.k8s.io/v1 GRPCRoute routes requests without being',
    )
  })

  test('a Job that may not wait for the lease of the controllers is refused', async () => {
    const words =
      'uninstall.deadlineSeconds: expected 285 at least, which is controller.leaseSeconds and 45, got 240'
    expect(await refusal('controller.leaseSeconds=240')).toContain(words)
    await template('controller.leaseSeconds=240', 'uninstall.giveBack=false')
  })

  test('cert-manager makes the certificate, and the webhook has no rights to do so', async () => {
    const manager = { enabled: true }
    const manifests = await template(`certificates.certManager=${JSON.stringify(manager)}`)
    const serving = only(manifests, 'Certificate', 'sluice-webhook').spec!
    expect(serving).toMatchObject({
      dnsNames: ['sluice-webhook.guards.svc'],
      duration: '2160h',
      issuerRef: { name: 'sluice-webhook-ca' },
    })
    expect(only(manifests, 'Certificate', 'sluice-webhook-ca').spec).toMatchObject({
      isCA: true,
      duration: '8760h',
      privateKey: { rotationPolicy: 'Never' },
    })
    for (const kind of ['MutatingWebhookConfiguration', 'ValidatingWebhookConfiguration']) {
      const from = { 'cert-manager.io/inject-ca-from': 'guards/sluice-webhook' }
      expect(only(manifests, kind).metadata.annotations).toEqual(from)
    }
    const roles = manifests.filter(({ kind }) => /Role(Binding)?$/.test(kind))
    const own = roles.filter(({ metadata }) => metadata.name.startsWith('sluice-webhook'))
    const [read, bound] = ['ClusterRole', 'ClusterRoleBinding']
    expect(own.map(({ kind }) => kind).toSorted()).toEqual([read, read, bound, bound])
    expect(JSON.stringify(own)).not.toContain('patch')
    const pod = podOf(only(manifests, 'Deployment', 'sluice-webhook'))
    const { args, volumeMounts } = pod.containers[0]!
    const { certificateDir, certificateSecret } = readWebhookConfig(flagsOf({ args }), {})
    expect(certificateSecret).toBeUndefined()
    expect(volumeMounts).toMatchObject([{ name: 'certificate', mountPath: certificateDir }])
    expect(pod.volumes).toMatchObject([{ secret: { secretName: serving['secretName'] } }])
  })

  test('cert-manager takes the issuer that is named', async () => {
    const issuerRef = { kind: 'ClusterIssuer', name: 'internal' }
    const manager = { enabled: true, issuerRef }
    const manifests = await template(`certificates.certManager=${JSON.stringify(manager)}`)
    expect(only(manifests, 'Certificate').spec!['issuerRef']).toEqual(issuerRef)
    expect(manifests.filter(({ kind }) => kind === 'Issuer')).toEqual([])
  })

  test('a webhook leaves only for one that is ready, and its pods are spread', async () => {
    const manifests = await template()
    const { spec } = only(manifests, 'Deployment', 'sluice-webhook')
    expect(spec).toMatchObject({
      replicas: 2,
      strategy: { rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } },
    })
    expect(podOf({ spec: spec! }).topologySpreadConstraints).toHaveLength(2)
    const budget = only(manifests, 'PodDisruptionBudget').spec
    expect(budget).toMatchObject({ maxUnavailable: 1, selector: spec!['selector'] })
  })

  test('names follow the release, labels and image the values', async () => {
    const manifests = await template(
      'fullnameOverride="gate"',
      'commonLabels={"team":"web"}',
      'image={"repository":"registry.example/sluice","digest":"sha256:' + 'a'.repeat(64) + '"}',
    )
    const own = manifests.filter(({ kind }) => kind !== 'CustomResourceDefinition')
    expect(own.filter(({ metadata }) => !metadata.name.startsWith('gate'))).toEqual([])
    expect(manifests.filter(({ metadata }) => metadata.labels?.['team'] !== 'web')).toEqual([])
    const { containers } = podOf(only(manifests, 'Deployment', 'gate-controller'))
    expect(containers[0]!.image).toBe(`registry.example/sluice@sha256:${'a'.repeat(64)}`)
    expect(containers[0]!.args).toContain('--configuration=gate')
  })

  test('the CRDs stay on uninstall, go, or are somebody else’s', async () => {
    const kept = { 'helm.sh/resource-policy': 'keep' }
    const kind = 'CustomResourceDefinition'
    const [whole, gone] = [await template(), await template('crds.keep=false')]
    for (const plural of ['rollouts', 'trafficroutings']) {
      const name = `${plural}.rollouts.kruise.io`
      expect(only(whole, kind, name).metadata.annotations).toEqual(kept)
      expect(only(gone, kind, name).metadata.annotations).toBeUndefined()
    }
    const without = await template('crds.install=false')
    expect(without.filter(each => each.kind === kind)).toEqual([])
  })

  test('what gives back on uninstall is rendered for a cluster alone', async () => {
    const kinds = (manifests: readonly Manifest[]) => manifests.map(({ kind }) => kind)
    // Who applies what is rendered would run it at once.
    expect(kinds(await template())).not.toContain('Job')
    const asked = ['--dry-run=server', 'crds.install=false']
    const manifests = await template(...asked, 'namespaces=["default"]')
    const { metadata, spec } = only(manifests, 'Job')
    expect(metadata.name).toBe('sluice-uninstall')
    expect(metadata.annotations).toMatchObject({ 'helm.sh/hook': 'pre-delete' })
    expect(spec).toMatchObject({ backoffLimit: 0, activeDeadlineSeconds: 255 })
    expect(podOf({ spec: spec! }).containers[0]!.args).toContain('--namespaces=default')
    const { metadata: rights } = only(manifests, 'List')
    expect(rights.annotations).toMatchObject({ 'helm.sh/hook': 'pre-delete' })
    const left = await template(...asked, 'uninstall.giveBack=false')
    expect(kinds(left).filter(kind => kind === 'Job' || kind === 'List')).toEqual([])
  })

  test('what is optional is left out, and complete where it is asked for', async () => {
    const optional = ['NetworkPolicy', 'ServiceMonitor', 'PrometheusRule', 'ConfigMap']
    const kinds = (await template()).map(({ kind }) => kind)
    expect(kinds.filter(kind => optional.includes(kind))).toEqual([])
    const manifests = await template(
      'networkPolicy={"enabled":true,"metricsFrom":[{"namespaceSelector":{}}]}',
      'serviceMonitor={"enabled":true,"labels":{"release":"prometheus"}}',
      'prometheusRule={"enabled":true,"labels":{"release":"prometheus"}}',
      'dashboard.enabled=true',
    )
    const policy = only(manifests, 'NetworkPolicy', 'sluice-webhook').spec!
    expect(policy['ingress']).toEqual([
      { ports: [{ port: 'https' }] },
      { ports: [{ port: 'probes' }], from: [{ namespaceSelector: {} }] },
    ])
    const lead = only(manifests, 'NetworkPolicy', 'sluice-controller').spec!
    expect(lead['ingress']).toHaveLength(1)

    const monitor = only(manifests, 'ServiceMonitor')
    expect(monitor.metadata.labels).toMatchObject({ release: 'prometheus' })
    const { metadata, spec } = only(manifests, 'Service', 'sluice-metrics')
    expect(metadata.labels).toMatchObject(
      (monitor.spec!['selector'] as { readonly matchLabels: object }).matchLabels,
    )
    const pods = ['webhook', 'controller'].map(
      name => only(manifests, 'Deployment', `sluice-${name}`).spec!['template'] as Manifest,
    )
    for (const pod of pods) expect(pod.metadata.labels).toMatchObject(spec!['selector'] as object)

    const { groups } = only(manifests, 'PrometheusRule').spec as unknown as {
      readonly groups: readonly { readonly rules: readonly { readonly alert: string }[] }[]
    }
    expect(groups.flatMap(({ rules }) => rules).map(({ alert }) => alert)).toContain('SluiceGuards')
    const board = only(manifests, 'ConfigMap').data!['sluice.json']!
    expect(JSON.parse(board)).toMatchObject({ uid: 'sluice', title: 'Sluice' })
  })

  test.each([
    ['webhook.replica=3', 'webhook', 'replica'],
    ['webhook.failurePolicy="Maybe"', 'webhook/failurePolicy', 'Ignore'],
    ['certificates.caDays=0', 'certificates/caDays', '1'],
    [
      'certificates.certManager.issuerRef={"kind":"Issuer"}',
      'certificates/certManager/issuerRef',
      'name',
    ],
    ['controller.leaseSeconds=1', 'controller/leaseSeconds', '2'],
    ['uninstall.deadlineSeconds=5', 'uninstall/deadlineSeconds', '30'],
    ['kruiseRollouts.takeOver="yes"', 'kruiseRollouts/takeOver', 'boolean'],
    ['image.digest="latest"', 'image/digest', 'sha256'],
    ['networkPolicy.apiServerPorts=[]', 'networkPolicy/apiServerPorts', '1'],
    ['logLevel="loud"', 'logLevel', 'debug'],
    ['namespaces=["Shop"]', 'namespaces/0', 'a-z'],
    ['extraKinds=[{"apiVersion":"a.example.com/v1","kind":"A"}]', 'extraKinds/0', 'plural'],
    [
      'extraKinds=[{"apiVersion":"apps/v1","kind":"A","plural":"as"}]',
      'extraKinds/0/apiVersion',
      'pattern',
    ],
    ['roles.deletePods="no"', 'roles/deletePods', 'boolean'],
    ['roles.makeDeployments="no"', 'roles/makeDeployments', 'boolean'],
    ['traffic.enabled="yes"', 'traffic/enabled', 'boolean'],
    ['routing={}', '', 'routing'],
  ])('%s is refused, and named', async (set, path, words) => {
    const stderr = await refusal(set)
    expect(stderr).toContain(`at '${path === '' ? '' : `/${path}`}'`)
    expect(stderr).toContain(words)
  })

  test('a cluster that is too old is refused', async () => {
    const args = ['template', 'sluice', chart, '--kube-version', '1.29.0']
    const { stderr } = await run(target, args, { expectFailure: true })
    expect(stderr).toContain('kubeVersion')
  })
})

function podOf({ spec }: Pick<Manifest, 'spec'>): PodSpec {
  return (spec!['template'] as { readonly spec: PodSpec }).spec
}
