// The parts of the chart that must say what the code says: the webhook configurations, the policy, the CRDs, the
// kinds that need no value, the README's table of values, and the dashboard. One row of `generated` for each.

import { execFileSync } from 'node:child_process'
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

import { stringify } from 'yaml'

import { groupOf } from '#core/ref.ts'
import type { KindRef } from '#core/ref.ts'
import { routers } from '#core/traffic/registry.ts'
import { rows } from '#core/workload/registry.ts'
import { mutatingConfiguration, validatingConfiguration } from '../webhook/configuration.ts'
import type { ConfigurationOptions } from '../webhook/configuration.ts'
import { catchingPolicies } from '../webhook/policy.ts'
import type { PolicyManifests, PolicyOptions } from '../webhook/policy.ts'
import { tellingPolicy } from '../webhook/telling-policy.ts'
import { dashboard } from './dashboard.ts'
import { readme } from './readme.ts'

/** The chart's folder. */
export const CHART = join(import.meta.dirname, 'sluice')
const crds = join(import.meta.dirname, '..', 'api', 'crds')
const note = (source: string) =>
  `{{- /* DO NOT EDIT: made by charts/generated.ts from ${source}. */}}\n`

/** Comes after `metadata` and the name in it. */
const labels = '  labels:\n    {{- include "sluice.labels" $ | nindent 4 }}\n'

/** Texts by path in the chart's folder, as they are to be. */
export function generated(): Readonly<Record<string, string>> {
  return {
    'templates/webhook-configurations.yaml': webhookConfigurations(),
    'templates/policy.yaml': policy(),
    'templates/_known-kinds.tpl': knownKinds(),
    'templates/crds.yaml': readdirSync(crds).toSorted().map(customResource).join('---\n'),
    'monitoring/dashboard.json': `${JSON.stringify(dashboard(), undefined, 2)}\n`,
    'README.md': formatted('README.md', readme(readFileSync(join(CHART, 'values.yaml'), 'utf8'))),
  }
}

function webhookConfigurations(): string {
  const options: ConfigurationOptions = {
    name: '{{ include "sluice.fullname" $ }}',
    service: {
      namespace: '{{ $.Release.Namespace }}',
      name: '{{ include "sluice.fullname" $ }}-webhook',
    },
    failurePolicy: '{{ include "sluice.failurePolicy" $ }}' as 'Fail',
    ownNamespace: '{{ $.Release.Namespace }}',
    namespaces: [NAMESPACES],
    extraKinds: [EXTRA],
    routeKinds: [EXTRA_ROUTE],
  }
  const manifests = [mutatingConfiguration(options), validatingConfiguration(options)]
  const texts = manifests
    .map(manifest => template(manifest, labels + injected))
    .map(text => text.replaceAll(extraRule, rule => forEachExtra(rule)))
    .map(text => text.replaceAll(extraRoute, rule => forEachExtra(rule, 'traffic.extraKinds')))
  return note('webhook/configuration.ts') + texts.join('---\n')
}

function policy(): string {
  const options: PolicyOptions = {
    name: '{{ include "sluice.fullname" $ }}',
    apiVersion: '{{ include "sluice.policyVersion" $ }}' as PolicyOptions['apiVersion'],
    ownNamespace: '{{ $.Release.Namespace }}',
    namespaces: [NAMESPACES],
    extraKinds: [EXTRA],
  }
  const inTexts = ({ policy, binding }: PolicyManifests) =>
    [policy, binding].map(each => `---\n${template(each, labels)}`)
  const manifests = [
    ...catchingPolicies(options)
      .flatMap(inTexts)
      .map(text => forEachExtra(text)),
    ...inTexts(tellingPolicy(options)).map(text =>
      text.replaceAll(extraRule, rule => forEachExtra(rule)),
    ),
  ]
  const served = '{{- if include "sluice.policyVersion" $ }}\n'
  return `${note('webhook/policy.ts and webhook/telling-policy.ts')}${served}${manifests.join('')}{{- end }}\n`
}

/** A value that names one of them would be refused by the processes, when an upgrade has begun. */
function knownKinds(): string {
  const list = (name: string, kinds: readonly Pick<KindRef, 'apiVersion' | 'kind'>[]) => {
    const names = [...new Set(kinds.map(each => `${groupOf(each)}/${each.kind}`))].toSorted()
    return `{{- define "sluice.${name}" -}}\n${names.join(' ')}\n{{- end -}}\n`
  }
  const lists = [list('releasedKinds', rows), list('routedKinds', routers)]
  return note('the registries of kinds') + lists.join('')
}

/** Whom cert-manager asks whom the API server is to trust. */
const injection = `    cert-manager.io/inject-ca-from: '{{ .Release.Namespace }}/{{ include "sluice.fullname" . }}-webhook'\n`

const injected = [
  '  {{- if .Values.certificates.certManager.enabled }}\n',
  '  annotations:\n',
  injection,
  '  {{- end }}\n',
].join('')

const keptAndInjected = [
  '  {{- if or .Values.crds.keep .Values.certificates.certManager.enabled }}\n',
  '  annotations:\n',
  '    {{- if .Values.crds.keep }}\n',
  '    helm.sh/resource-policy: keep\n',
  '    {{- end }}\n',
  '    {{- if .Values.certificates.certManager.enabled }}\n',
  injection,
  '    {{- end }}\n',
  '  {{- end }}\n',
].join('')

const kept = [
  '  {{- if .Values.crds.keep }}\n',
  '  annotations:\n',
  '    helm.sh/resource-policy: keep\n',
  '  {{- end }}\n',
].join('')

/** Something that the API server admits by. */
interface Manifest {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string }
}

/** A manifest as a template: its values may hold actions; `more` comes after its name. */
function template({ apiVersion, kind, metadata, ...body }: Manifest, more: string): string {
  const head = { apiVersion, kind, metadata: { name: metadata.name } }
  // A line that is folded would end an action in the middle.
  const options = { lineWidth: 0, aliasDuplicateObjects: false }
  const text = stringify(body, options).replaceAll(namespaces, optional)
  return `${stringify(head, options)}${more}${text}`
}

/** Stands for the value `namespaces`, which may be empty: then its requirement is left out. */
const NAMESPACES = 'NAMESPACES'
const namespaces = /^( +)- key: \S+\n +operator: In\n +values:\n +- NAMESPACES\n/gm

function optional(requirement: string, indent: string): string {
  const values = `{{- toYaml $.Values.namespaces | nindent ${indent.length + 4} }}`
  const filled = requirement.replace(/ +- NAMESPACES\n/, `${indent}    ${values}\n`)
  return `${indent}{{- if $.Values.namespaces }}\n${filled}${indent}{{- end }}\n`
}

/** Stands for each of the value `extraKinds`. */
const EXTRA: KindRef = {
  apiVersion: 'EXTRA.GROUP/EXTRA-VERSION',
  kind: 'EXTRA-KIND',
  plural: 'EXTRA-PLURAL',
}
/** Stands for each of the value `traffic.extraKinds`. */
const EXTRA_ROUTE: KindRef = { ...EXTRA, apiVersion: 'ROUTE.EXTRA.GROUP/EXTRA-VERSION' }
const extraRoute = /^ +- apiGroups:\n +- ROUTE\.EXTRA\.GROUP\n([^]*?)scope: Namespaced\n/gm
const extraRule = /^ +- apiGroups:\n +- EXTRA\.GROUP\n([^]*?)scope: Namespaced\n/gm

/** A text about `EXTRA` as one about each of the value; any other as it is. */
function forEachExtra(text: string, value = 'extraKinds'): string {
  if (!text.includes('EXTRA-')) return text
  const filled = text
    .replaceAll(/(?:ROUTE\.)?EXTRA\.GROUP/g, '{{ splitList "/" .apiVersion | first }}')
    .replaceAll('EXTRA-VERSION', '{{ splitList "/" .apiVersion | last }}')
    .replaceAll('EXTRA-PLURAL', '{{ .plural }}')
    .replaceAll('extra-kind', '{{ lower .kind }}')
  return `{{- range $.Values.${value} }}\n${filled}{{- end }}\n`
}

function customResource(file: string): string {
  const text = readFileSync(join(crds, file), 'utf8')
  const isConverted = text.includes('strategy: Webhook')
  const [, comment, head, name, rest] =
    /^((?:#.*\n)*)([^]*?\n)(metadata:\n {2}name: \S+\n)([^]*)$/.exec(text) ?? []
  if (comment === undefined || text.includes('{{')) throw new Error(`${file}: not as expected`)
  return [
    note(`api/crds/${file}`),
    '{{- if .Values.crds.install }}\n',
    isConverted ? readable : '',
    head,
    name,
    labels,
    isConverted ? keptAndInjected : kept,
    isConverted ? converted(rest ?? '', file) : rest,
    '{{- end }}\n',
  ].join('')
}

/** The webhook reads all Rollouts before it serves: what it had to convert itself, it would never read. */
const readable = [
  '{{- $crd := lookup "apiextensions.k8s.io/v1" "CustomResourceDefinition" "" "rollouts.rollouts.kruise.io" }}\n',
  '{{- if has "v1alpha1" (dig "status" "storedVersions" list $crd) }}\n',
  '{{- fail "crds.install: Rollouts may be stored as v1alpha1: have them written again first, see docs/coming-from-kruise-rollouts.md" }}\n',
  '{{- end }}\n',
].join('')

/** Whom the API server asks to convert is the webhook of this release. */
function converted(text: string, file: string): string {
  const service = /( +)service:\n +namespace: \S+\n +name: \S+\n/
  if (!service.test(text)) throw new Error(`${file}: no service converts`)
  return text.replace(service, (_, indent: string) =>
    [
      'service:',
      '  namespace: {{ .Release.Namespace }}',
      '  name: {{ include "sluice.fullname" . }}-webhook',
    ]
      .map(line => `${indent}${line}\n`)
      .join(''),
  )
}

function formatted(path: string, input: string): string {
  const oxfmt = join(import.meta.dirname, '..', 'node_modules/oxfmt/bin/oxfmt')
  const args = [oxfmt, `--stdin-filepath=${join(CHART, path)}`]
  return execFileSync(process.execPath, args, { input, encoding: 'utf8' })
}
