import { describe, expect, test } from 'vitest'

import { ownerRules, splitRules } from './split-rules.ts'
import type { RouteRule } from './split-rules.ts'
import type { Split } from './model.ts'

const everything = [{ path: { type: 'PathPrefix', value: '/' } }] as const
const wish = (split: Split) => {
  return { service: 'web', canary: 'web-canary', split, everything: everything[0] }
}
const web = { group: '', kind: 'Service', name: 'web', port: 80, weight: 1 }
const plain: RouteRule = { matches: everything, backendRefs: [web] }
const images: RouteRule = { backendRefs: [{ name: 'images', port: 80 }] }
const redirect: RouteRule = { filters: [{ type: 'RequestRedirect' }] }

describe('a share', () => {
  test('of a rule with one Service is that many hundredths', () => {
    expect(splitRules([plain, images, redirect], wish({ percent: 20 }))).toEqual([
      {
        matches: everything,
        backendRefs: [
          { ...web, weight: 80 },
          { ...web, name: 'web-canary', weight: 20 },
        ],
      },
      images,
      redirect,
    ])
  })

  test('of everything leaves the stable Service there, with nothing', () => {
    const [rule] = splitRules([plain], wish({ percent: 100 }))
    expect(rule?.backendRefs?.map(({ name, weight }) => [name, weight])).toEqual([
      ['web', 0],
      ['web-canary', 100],
    ])
  })

  test('of nothing names the Service of new pods, and sends nobody there', () => {
    const [rule, other] = splitRules([plain, images], wish({ percent: 0 }))
    expect(rule?.backendRefs?.map(({ name, weight }) => [name, weight])).toEqual([
      ['web', 100],
      ['web-canary', 0],
    ])
    expect(other).toBe(images)
  })

  test('that is not asked for is no trace', () => {
    const owner = [plain, images]
    expect(splitRules(owner, wish({}))).toBe(owner)
  })

  test('is one of the requests that come to the Service, where others have theirs', () => {
    const rule = { backendRefs: [{ ...web, weight: 3 }, { name: 'images' }] }
    const [split] = splitRules([rule], wish({ percent: 10 }))
    expect(split?.backendRefs?.map(({ name, weight }) => [name, weight])).toEqual([
      ['web', 270],
      ['web-canary', 30],
      ['images', 100],
    ])
  })

  test('stays within the weights that the API takes', () => {
    const rule = {
      backendRefs: [
        { ...web, weight: 900_000 },
        { name: 'images', weight: 100_000 },
      ],
    }
    const [split] = splitRules([rule], wish({ percent: 10 }))
    expect(split?.backendRefs?.map(({ weight }) => weight)).toEqual([810_000, 90_000, 100_000])
  })

  test('of a Service to which its owner sends nothing is nothing', () => {
    const owner = [{ backendRefs: [{ ...web, weight: 0 }, { name: 'images' }] }]
    expect(splitRules(owner, wish({ percent: 10 }))).toEqual(owner)
  })

  test.each([
    ['another group', { ...web, group: 'example.com' }],
    ['another kind', { ...web, kind: 'ServiceImport' }],
    ['another namespace', { ...web, namespace: 'elsewhere' }],
  ])('leaves what has its name in %s alone', (_, ref) => {
    const owner = [{ backendRefs: [ref] }]
    expect(splitRules(owner, wish({ percent: 50 }))).toEqual(owner)
  })

  test('carries the headers that the step sets, beside the filters of the owner', () => {
    const own = [
      { type: 'RequestMirror' },
      {
        type: 'RequestHeaderModifier',
        requestHeaderModifier: { set: [{ name: 'X-Side', value: 'old' }], remove: ['a'] },
      },
    ]
    const headers = { set: [{ name: 'x-side', value: 'new' }] }
    const [rule] = splitRules(
      [{ backendRefs: [{ ...web, filters: own }] }],
      wish({ percent: 50, headers }),
    )
    expect(rule?.backendRefs?.[0]?.filters).toEqual(own)
    expect(rule?.backendRefs?.[1]?.filters).toEqual([
      { type: 'RequestMirror' },
      {
        type: 'RequestHeaderModifier',
        requestHeaderModifier: { set: [{ name: 'x-side', value: 'new' }], remove: ['a'] },
      },
    ])
  })
})

describe('matches', () => {
  const user = { headers: [{ name: 'user', value: 'tester' }] }
  const toCanary = { ...web, name: 'web-canary' }

  test('are rules of their own, after those that are there', () => {
    expect(splitRules([plain, images], wish({ matches: [user], percent: 50 }))).toEqual([
      plain,
      images,
      { matches: [{ ...everything[0], ...user }], backendRefs: [toCanary] },
    ])
  })

  test('join those of a rule, each with each, and its filters stay', () => {
    const filters = [{ type: 'URLRewrite' }]
    const own = [{ path: { type: 'Exact', value: '/a' } }, { headers: [{ name: 'b', value: '1' }] }]
    const rule = { name: 'main', filters, matches: own, backendRefs: [web] } as RouteRule
    const query = { queryParams: [{ name: 'q', value: 'x' }] }
    const [, added] = splitRules([rule], wish({ matches: [user, query] }))
    expect(added).toEqual({
      filters,
      matches: [
        { path: { type: 'Exact', value: '/a' }, ...user },
        { headers: [{ name: 'b', value: '1' }, ...user.headers] },
        { path: { type: 'Exact', value: '/a' }, ...query },
        { headers: [{ name: 'b', value: '1' }], ...query },
      ],
      backendRefs: [toCanary],
    })
  })

  test('of a rule without any are for every path', () => {
    const [, added] = splitRules([{ backendRefs: [web] }], wish({ matches: [user] }))
    expect(added?.matches).toEqual([{ path: { type: 'PathPrefix', value: '/' }, ...user }])
  })

  test('of a GRPCRoute join its methods, and stand alone where there are none', () => {
    const method = { method: { service: 'shop.Cart', method: 'Add' } } as object
    const named = { matches: [method], backendRefs: [web] }
    const asked = { ...wish({ matches: [user] }), everything: {} }
    expect(splitRules([named, { backendRefs: [web] }], asked).slice(2)).toEqual([
      { matches: [{ ...method, ...user }], backendRefs: [toCanary] },
      { matches: [user], backendRefs: [toCanary] },
    ])
  })

  test('with a path are matched as they are, once', () => {
    const path = { path: { type: 'Exact', value: '/new' }, ...user } as const
    const rules = splitRules([plain, { ...plain, name: 'other' }], wish({ matches: [path] }))
    expect(rules.slice(2)).toEqual([{ matches: [path], backendRefs: [toCanary] }])
  })

  test('that no request can meet beside the own ones are left out', () => {
    const own = { ...plain, matches: [{ headers: [{ name: 'User', value: 'other' }] }] }
    expect(splitRules([own], wish({ matches: [user] }))).toEqual([own])
    const same = { ...plain, matches: [{ headers: [{ name: 'User', value: 'tester' }] }] }
    const [, added] = splitRules([same], wish({ matches: [user] }))
    expect(added?.matches).toEqual(same.matches)
  })
})

describe('what its owner wants', () => {
  const split = wish({ percent: 20 })
  const owner = [plain, images]
  const ours = splitRules(owner, split)

  test.each<[string, readonly RouteRule[], readonly RouteRule[]]>([
    ['of a copy, what he wanted', ours, owner],
    ['of his own manifest, that', [{ ...plain, backendRefs: [{ ...web, weight: 7 }] }], []],
    ['of a rule more, that rule', [redirect, ...ours], [redirect, ...owner]],
    ['of a rule less, the others', [ours[0]!], [plain]],
    [
      'of a match changed in a live rule, that match, with his weights',
      [{ ...ours[0]!, matches: [{ method: 'GET' } as object] }, images],
      [{ ...plain, matches: [{ method: 'GET' } as object] }, images],
    ],
    [
      'of a weight changed in a live rule, that weight',
      [
        {
          ...plain,
          backendRefs: [
            { ...web, weight: 55 },
            { ...web, name: 'web-canary', weight: 20 },
          ],
        },
      ],
      [{ ...plain, backendRefs: [{ ...web, weight: 55 }] }],
    ],
    [
      'of our part taken out by hand, the rest as it is left',
      [{ ...plain, backendRefs: [{ ...web, weight: 80 }] }],
      [{ ...plain, backendRefs: [{ ...web, weight: 80 }] }],
    ],
  ])('%s', (_, incoming, wanted) => {
    const expected = wanted.length > 0 ? wanted : incoming
    expect(ownerRules(incoming, owner, split)).toEqual(expected)
  })

  test('of a live rule with matches of ours does not count them', () => {
    const asked = wish({ matches: [{ headers: [{ name: 'user', value: 'tester' }] }] })
    const [first, second, added] = splitRules(owner, asked)
    expect(ownerRules([first!, added!, second!, redirect], owner, asked)).toEqual([
      plain,
      images,
      redirect,
    ])
  })
})
