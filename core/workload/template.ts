// When are two pod templates the same version? Exactly when the controller-manager makes no new
// ReplicaSet of it: holding a workload for a difference that makes none would leave it waiting for ever.

import { POD_TEMPLATE_HASH } from '#api/names.ts'
import type { PodTemplate } from '#api/kubernetes.ts'
import { digest } from '../digest.ts'

/** Fields that are maps in the API's types: there, empty and absent are the same. */
const maps = new Set(['labels', 'annotations', 'nodeSelector', 'matchLabels', 'limits', 'requests'])

/** Equal for two templates exactly when they are the same version. */
export function templateFingerprint(template: PodTemplate): string {
  const { [POD_TEMPLATE_HASH]: _, ...labels } = template.metadata?.labels ?? {}
  return digest(withoutEmpty({ ...template, metadata: { ...template.metadata, labels } }))
}

function withoutEmpty(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutEmpty)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key, member]) => !meansAbsent(key, member))
      .map(([key, member]) => [key, quantities.get(key)?.(member) ?? withoutEmpty(member)]),
  )
}

/** Fields that hold quantities, which are compared by their value: `1Gi` is `1073741824`. */
const quantities: ReadonlyMap<string, (value: unknown) => unknown> = new Map([
  ...['limits', 'requests', 'overhead'].map(key => [key, quantitiesIn] as const),
  ...['sizeLimit', 'divisor'].map(key => [key, quantityOf] as const),
])

function quantitiesIn(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return undefined
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, quantityOf(each)]))
}

/** The value in billionths, the finest that a quantity knows; as it is where it is none. */
function quantityOf(value: unknown): unknown {
  const text = String(value)
  const [, sign, whole, part = '', suffix] =
    /^([+-]?)(\d{1,20})(?:\.(\d{0,9}))?(\D?i?|[eE][+-]?\d{1,2})$/.exec(text) ?? []
  const scale = suffix === undefined ? undefined : scaleOf(suffix)
  if (whole === undefined || scale === undefined) return value
  const billionths = BigInt(whole + part.padEnd(9, '0'))
  return `${sign === '-' ? '-' : ''}${(billionths * scale.times) / scale.over}`
}

function scaleOf(suffix: string): { readonly times: bigint; readonly over: bigint } | undefined {
  const binary = ['Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'].indexOf(suffix) + 1
  if (binary > 0) return { times: 1024n ** BigInt(binary), over: 1n }
  const decimal = ['n', 'u', 'm', '', 'k', 'M', 'G', 'T', 'P', 'E'].indexOf(suffix)
  const exponent = decimal >= 0 ? (decimal - 3) * 3 : Number(suffix.slice(1))
  if (!/^[eE]/.test(suffix) && decimal < 0) return undefined
  const power = 10n ** BigInt(Math.abs(exponent))
  return exponent < 0 ? { times: 1n, over: power } : { times: power, over: 1n }
}

function meansAbsent(key: string, value: unknown): boolean {
  if (value === null || value === undefined) return true
  if (Array.isArray(value)) return value.length === 0
  return typeof value === 'object' && maps.has(key) && Object.keys(value).length === 0
}
