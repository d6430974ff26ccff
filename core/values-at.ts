// What an object says at a path, wherever lists on the way lead to.

/** A value, and the path that leads to it. */
export interface Found {
  readonly field: string
  readonly value: unknown
}

/**
 * Every value at the path, with the path that leads to it. Nothing where the path ends early. The path
 * is as people write it, `spec.steps[].pause`: `[]` stands for every item of a list.
 */
export function valuesAt(root: unknown, path: string): readonly Found[] {
  let found: readonly Found[] = [{ field: '', value: root }]
  for (const segment of path.split('.')) {
    const key = segment.replace('[]', '')
    found = found.flatMap(parent => member(parent, key))
    if (segment !== key) found = found.flatMap(items)
  }
  return found
}

function member({ field, value }: Found, key: string): readonly Found[] {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return []
  return [{ field: field ? `${field}.${key}` : key, value: Reflect.get(value, key) }]
}

function items({ field, value }: Found): readonly Found[] {
  if (!Array.isArray(value)) return []
  return value.map((item, index) => ({ field: `${field}[${index}]`, value: item }))
}
