import { expect, test } from 'vitest'
import { Cache } from './cache.ts'

interface Item {
  readonly metadata: {
    readonly name: string
    readonly namespace: string
    readonly uid: string
    readonly resourceVersion: string
  }
  readonly owner: string
}

const item = (name: string, uid: string, resourceVersion: string, owner = 'o'): Item => ({
  metadata: { name, namespace: 'ns', uid, resourceVersion },
  owner,
})

function recorded() {
  const errors: unknown[] = []
  const cache = new Cache<Item>({
    indexes: { owner: each => [each.owner] },
    onListenerError: error => errors.push(error),
  })
  const seen: string[] = []
  const words = (each: Item | undefined) =>
    each && `${each.metadata.uid}@${each.metadata.resourceVersion}`
  cache.onChange((before, after) => seen.push(`${words(before) ?? '-'} > ${words(after) ?? '-'}`))
  return { cache, seen, errors }
}

test('a list that differs tells adds, changes and deletes, and nothing of what is the same', () => {
  const { cache, seen } = recorded()
  cache.replace([item('a', 'u1', '1'), item('b', 'u2', '2'), item('c', 'u3', '3')], '3')
  seen.length = 0
  cache.replace([item('b', 'u2', '2'), item('c', 'u3', '9'), item('d', 'u4', '8')], '9')
  expect(seen).toEqual(['u1@1 > -', 'u3@3 > u3@9', '- > u4@8'])
  expect(cache.resourceVersion).toBe('9')
})

test('fed from two namespaces, it is complete when both are listed, and a list of one leaves the other', async () => {
  const cache = new Cache<Item>({ namespaces: ['x', 'y'] })
  let complete = false
  void cache.synced.then(() => (complete = true))
  const at = (namespace: string, name: string): Item => {
    const { metadata, owner } = item(name, `${namespace}-${name}`, '1')
    return { metadata: { ...metadata, namespace }, owner }
  }
  cache.replace([at('x', 'a'), at('x', 'b')], '1', 'x')
  cache.replace([at('x', 'a'), at('x', 'b')], '2', 'x')
  await Promise.resolve()
  expect(complete, 'nobody has listed y').toBe(false)
  cache.replace([at('y', 'a')], '3', 'y')
  await Promise.resolve()
  expect(complete).toBe(true)
  cache.replace([at('x', 'b')], '4', 'x')
  expect(cache.list().map(each => each.metadata.uid)).toEqual(['x-b', 'y-a'])
})

test('another object under the same name is a delete, then an add', () => {
  const { cache, seen } = recorded()
  cache.replace([item('a', 'u1', '1')], '1')
  cache.replace([item('a', 'u2', '5')], '5')
  cache.put(item('a', 'u3', '6'), '6')
  expect(seen).toEqual(['- > u1@1', 'u1@1 > -', '- > u2@5', 'u2@5 > -', '- > u3@6'])
})

test('an index follows its objects', () => {
  const { cache } = recorded()
  cache.put(item('a', 'u1', '1', 'x'), '1')
  cache.put(item('b', 'u2', '2', 'x'), '2')
  cache.put(item('a', 'u1', '3', 'y'), '3')
  expect(cache.byIndex('owner', 'x').map(each => each.metadata.name)).toEqual(['b'])
  expect(cache.byIndex('owner', 'y').map(each => each.metadata.resourceVersion)).toEqual(['3'])
  cache.remove(item('a', 'u1', '4').metadata, '4')
  expect(cache.byIndex('owner', 'y')).toEqual([])
  expect(() => cache.byIndex('node', 'n')).toThrow('the cache has no index node')
})

test('a listener or an indexer that throws harms nobody else', () => {
  const errors: unknown[] = []
  const cache = new Cache<Item>({
    indexes: {
      poison: each => {
        if (each.owner === 'bad') throw new Error('unreadable')
        return [each.owner]
      },
    },
    onListenerError: error => errors.push(error),
  })
  const seen: string[] = []
  cache.onChange(() => {
    throw new Error('bug')
  })
  cache.onChange((_, after) => seen.push(after?.metadata.name ?? '-'))
  cache.put(item('a', 'u1', '1', 'good'), '1')
  cache.put(item('a', 'u1', '2', 'bad'), '2')
  expect(seen).toEqual(['a', 'a'])
  expect(errors.map(String)).toEqual(['Error: bug', 'Error: unreadable', 'Error: bug'])
  expect(cache.listenerErrors).toBe(3)
  expect(cache.byIndex('poison', 'good')).toEqual([])
})

test('synced waits for the first list', async () => {
  const { cache } = recorded()
  let synced = false
  void cache.synced.then(() => (synced = true))
  cache.put(item('a', 'u1', '1'), '1')
  await Promise.resolve()
  expect(synced).toBe(false)
  cache.replace([], '2')
  await cache.synced
  expect(cache.get('ns', 'a')).toBeUndefined()
})
