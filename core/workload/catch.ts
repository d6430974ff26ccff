// How the policy in the API server holds a kind, in CEL: by which field, what a request says there, and
// what is remembered of it. Every adapter has one, so that no kind is without the second line.

/** What CEL calls the object as it is to be, and as it is stored. */
export type Subject = 'object' | 'oldObject'

/** How edits of one kind are caught. `has` must stand before every field: a missing one is an error. */
export interface Catch {
  /** Only what this holds for is replaced by its own controller at all. */
  readonly rolls?: string
  /** Text: what an object says in the field by which it is held. */
  readonly carries: (subject: Subject) => string
  /** True where a write changes one of the fields that hold. */
  readonly loosens: string
  /** Text: the record of what `variables.carried` says. */
  readonly record: string
  /** Applied to `spec`. */
  readonly spec: string
}

/** CEL: every field on the way below `spec` is there. */
function has(subject: Subject, ...path: readonly string[]): string {
  return path.map((_, i) => `has(${subject}.spec.${path.slice(0, i + 1).join('.')})`).join(' && ')
}

/** CEL: the text at a path below `spec`, or another where there is none. */
export function textAt(subject: Subject, path: readonly string[], otherwise: string): string {
  return `${has(subject, ...path)} ? string(${subject}.spec.${path.join('.')}) : '${otherwise}'`
}

/** CEL: a write changes the field of `spec`. */
export function differs(field: string): string {
  const [now, was] = [`object.spec.${field}`, `oldObject.spec.${field}`]
  return `(has(${now}) != has(${was}) || (has(${now}) && ${now} != ${was}))`
}
