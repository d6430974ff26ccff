// A short name for a JSON value: equal values have equal digests, whatever the order of their keys.
// It tells versions apart, it does not protect against forgery: who can forge a template can edit it.

/** 16 hexadecimal digits that stand for the value. `undefined` members count as absent. */
export function digest(value: unknown): string {
  const text = canonical(value)
  return lane(text, 0x811c9dc5, 0x01000193) + lane(text, 0x9dc5811c, 0x85ebca6b)
}

/** JSON with sorted keys and no white space. */
export function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null'
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, member]) => `${JSON.stringify(key)}:${canonical(member)}`)
  return `{${members.join(',')}}`
}

/** FNV-1a over UTF-16 code units, then mixed, since neighbouring inputs leave its high bits alike. */
function lane(text: string, offset: number, prime: number): string {
  let hash = offset
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), prime)
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)
  hash = Math.imul(hash ^ (hash >>> 12), 0x297a2d39)
  return ((hash ^ (hash >>> 15)) >>> 0).toString(16).padStart(8, '0')
}
