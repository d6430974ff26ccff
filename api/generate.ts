// Makes TypeScript types from the CRDs: api/crds/*.yaml -> api/<singular>.generated.ts. The CRD is
// the contract that the API server enforces; the types follow it, never the other way round.
// A schema with a `title` becomes a named type.

import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'

interface Schema {
  readonly type?: string
  readonly title?: string
  readonly description?: string
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly items?: Schema
  readonly additionalProperties?: Schema
  readonly enum?: readonly string[]
  readonly 'x-kubernetes-int-or-string'?: boolean
  readonly 'x-kubernetes-validations'?: readonly { readonly rule: string }[]
}

interface CustomResourceDefinition {
  readonly spec: {
    readonly group: string
    readonly names: { readonly kind: string; readonly singular: string }
    readonly versions: readonly Version[]
  }
}

interface Version {
  readonly name: string
  readonly storage: boolean
  readonly schema: { readonly openAPIV3Schema: Schema }
}

/** Declarations by name, in the order in which they were met. */
type Declarations = Map<string, string>

const scalars: ReadonlyMap<string, string> = new Map([
  ['string', 'string'],
  ['boolean', 'boolean'],
  ['integer', 'number'],
])

/** Of these no object was ever stored without what a rule asks for: of others it may have come later. */
const specs = new Set(['RolloutSpec', 'RolloutSpecV1alpha1'])

const root = join(import.meta.dirname, '..')
const crds = join(import.meta.dirname, 'crds')

for (const file of readdirSync(crds).toSorted()) {
  const crd: CustomResourceDefinition = parse(readFileSync(join(crds, file), 'utf8'))
  const target = join(import.meta.dirname, `${crd.spec.names.singular}.generated.ts`)
  writeFileSync(target, format(print(crd, file), target))
}

/** The text of the file for one CRD. What all its versions have in common is declared once. */
function print(crd: CustomResourceDefinition, file: string): string {
  const declarations: Declarations = new Map()
  const objects = crd.spec.versions.map(version => printObject(crd, version, declarations))
  const text = [...objects, ...declarations.values()].join('\n\n')
  const known = ['IntOrPercent', 'KubeObject'].filter(name => text.includes(name))
  return [
    `// DO NOT EDIT: made by api/generate.ts from api/crds/${file}.`,
    `import type { ${known.join(', ')} } from './kubernetes.ts'`,
    text,
  ].join('\n\n')
}

/** The type of a version's objects. That of the version that is stored has the plain name. */
function printObject(
  { spec: { group, names } }: CustomResourceDefinition,
  { name, storage, schema: { openAPIV3Schema: schema } }: Version,
  declarations: Declarations,
): string {
  const { spec = {}, status = {} } = schema.properties ?? {}
  const suffix = storage ? '' : name.charAt(0).toUpperCase() + name.slice(1)
  return `${comment(schema)}export interface ${names.kind}${suffix} extends KubeObject {
    readonly apiVersion: '${group}/${name}'
    readonly kind: '${names.kind}'
    ${comment(spec)}readonly spec: ${typeOf(spec, declarations)}
    ${comment(status)}readonly status?: ${typeOf(status, declarations)}
  }`
}

function typeOf(schema: Schema, declarations: Declarations): string {
  if (schema['x-kubernetes-int-or-string']) return isNumber(schema) ? 'number' : 'IntOrPercent'
  if (schema.title) return named(schema.title, schema, declarations)
  if (schema.enum) return union(schema.enum)
  if (schema.items) return `readonly (${typeOf(schema.items, declarations)})[]`
  if (schema.additionalProperties) {
    return `Readonly<Record<string, ${typeOf(schema.additionalProperties, declarations)}>>`
  }
  const scalar = scalars.get(schema.type ?? '')
  if (!scalar) throw new Error(`no type for the schema ${JSON.stringify(schema)}`)
  return scalar
}

/** A rule refuses texts, in words of its own. */
function isNumber({ 'x-kubernetes-validations': rules = [] }: Schema): boolean {
  return rules.some(({ rule }) => rule === 'type(self) == int')
}

/** Two schemas of the same title are one type, so they must not differ. */
function named(title: string, schema: Schema, declarations: Declarations): string {
  const before = declarations.get(title)
  // Holds the place, so that a type comes before the types of its members.
  if (before === undefined) declarations.set(title, '')
  const body = schema.enum
    ? `export type ${title} = ${union(schema.enum)}`
    : `export interface ${title} ${members(schema, declarations)}`
  const text = comment(schema) + body
  if (before !== undefined && before !== text) throw new Error(`two different types ${title}`)
  declarations.set(title, text)
  return title
}

function members(schema: Schema, declarations: Declarations): string {
  const required = new Set([...(schema.required ?? []), ...askedFor(schema)])
  const lines = Object.entries(schema.properties ?? {}).map(([key, value]) => {
    const optional = required.has(key) ? '' : '?'
    return `${comment(value)}readonly ${key}${optional}: ${typeOf(value, declarations)}`
  })
  return `{\n${lines.join('\n')}\n}`
}

/** Fields that a rule asks for, in words of its own, and that no older object lacks. */
function askedFor({ title = '', 'x-kubernetes-validations': rules = [] }: Schema): string[] {
  if (!specs.has(title)) return []
  return rules.flatMap(({ rule }) => /^has\(self\.(\w+)\)$/.exec(rule)?.[1] ?? [])
}

function union(values: readonly string[]): string {
  return values.map(value => `'${value}'`).join(' | ')
}

/** A doc comment of lines that still fit after indentation. */
function comment({ description }: Schema): string {
  if (!description) return ''
  const lines = description.match(/\S.{0,88}(?=\s|$)/gs) ?? []
  if (lines.length === 1) return `/** ${lines[0]} */\n`
  return `/**\n${lines.map(line => ` * ${line}\n`).join('')} */\n`
}

function format(text: string, path: string): string {
  const oxfmt = join(root, 'node_modules/oxfmt/bin/oxfmt')
  return execFileSync(process.execPath, [oxfmt, `--stdin-filepath=${path}`], {
    input: text,
    encoding: 'utf8',
  })
}
