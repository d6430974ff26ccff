// Which script is found, and what ours make of Ingresses and of Istio's objects.

import { describe, expect, test } from 'vitest'

import type { FoundScript } from '#core/script.ts'
import { ingressScript, isOursAlone, routerScript } from './library.ts'
import { subsetLabel } from '#core/traffic/registry.ts'
import { luaMachine } from './machine.ts'
import { compiledLua } from './module.ts'

const machine = luaMachine(compiledLua())

function given(found: FoundScript, input: unknown): unknown {
  const answer = machine.run('text' in found ? found.text : '', JSON.stringify(input))
  return 'json' in answer ? JSON.parse(answer.json) : answer.wrong
}

describe('found', () => {
  const own = {
    'lua.traffic.routing.ingress.nginx': 'own nginx',
    'lua.traffic.routing.ingress.kong': 'own kong',
    'lua.traffic.routing.VirtualService.networking.istio.io': 'own service',
    'lua.traffic.routing.Mesh.example.com': 'own mesh',
  }

  test('for an Ingress a script of the user comes first', () => {
    expect(ingressScript('nginx', own)).toEqual({
      name: 'the script for an Ingress of class nginx (ConfigMap kruise-rollout-configuration, key lua.traffic.routing.ingress.nginx)',
      text: 'own nginx',
      remedy: 'correct it there',
    })
    expect(ingressScript('kong', own)).toMatchObject({ text: 'own kong' })
    expect(ingressScript('mse', own)).toMatchObject({
      name: 'our script for an Ingress of class mse',
      remedy:
        'one of your own in ConfigMap kruise-rollout-configuration, key lua.traffic.routing.ingress.mse comes before it',
    })
  })

  test('the users’ own are asked for only where one of theirs would count', () => {
    const istio = { apiVersion: 'networking.istio.io/v1', kind: 'VirtualService', name: 'web' }
    const ingress = { apiVersion: 'networking.k8s.io/v1', kind: 'Ingress', name: 'web' }
    expect(isOursAlone(istio)).toBe(true)
    expect(isOursAlone({ ...ingress, className: 'nginx' })).toBe(false)
    expect(isOursAlone({ ...istio, apiVersion: 'example.com/v1' })).toBe(false)
  })

  test('for another router ours comes first', () => {
    const istio = routerScript('networking.istio.io', 'VirtualService', own)
    expect(istio).toEqual(routerScript('networking.istio.io', 'VirtualService', {}))
    expect(istio).toMatchObject({ name: 'our script for a VirtualService of networking.istio.io' })
    expect(routerScript('example.com', 'Mesh', own)).toMatchObject({ text: 'own mesh' })
  })

  test.each(['traefik', '__proto__', 'constructor', 'toString', '../nginx'])(
    'nothing: %s',
    name => {
      expect(ingressScript(name, {})).toEqual({
        missing: `there is no script for an Ingress of class ${name}: write one in ConfigMap kruise-rollout-configuration, key lua.traffic.routing.ingress.${name}`,
      })
      expect(routerScript('example.com', name, {})).toHaveProperty('missing')
    },
  )
})

const exact = { type: 'Exact', name: 'user', value: 'a' }
const regular = { type: 'RegularExpression', name: 'user', value: 'a.*' }
const cookie = { name: 'canary-by-cookie', value: 'team' }

describe.each([
  ['nginx', 'nginx.ingress.kubernetes.io/', {}],
  ['higress', 'nginx.ingress.kubernetes.io/', {}],
  ['aliyun-alb', 'alb.ingress.kubernetes.io/', { 'alb.ingress.kubernetes.io/order': '1' }],
  ['mse', 'nginx.ingress.kubernetes.io/', {}],
])('Ingress of class %s', (ingressClass, prefix, always) => {
  const annotate = (input: object) =>
    given(ingressScript(ingressClass, {}), { canaryService: 'web-canary', ...input })
  const named = (names: Record<string, string>) => {
    const entries = Object.entries(names).map(([name, value]) => [`${prefix}canary${name}`, value])
    return { [`${prefix}canary`]: 'true', ...always, ...Object.fromEntries(entries) }
  }

  test.each([
    ['a weight', { weight: '20' }, { '-weight': '20' }],
    ['none to begin with', { weight: '0' }, { '-weight': '0' }],
    ['neither weight nor match', { weight: '-1' }, {}],
    [
      'a header',
      { weight: '-1', matches: [{ headers: [exact] }] },
      { '-by-header': 'user', '-by-header-value': 'a' },
    ],
    [
      'a header by regular expression, and a weight',
      { weight: '5', matches: [{ headers: [regular] }] },
      { '-by-header': 'user', '-by-header-pattern': 'a.*', '-weight': '5' },
    ],
    [
      'a cookie beside a header',
      { weight: '-1', matches: [{ headers: [exact] }, { headers: [cookie] }] },
      { '-by-header': 'user', '-by-header-value': 'a', '-by-cookie': 'team' },
    ],
    [
      'the first header of the last match',
      { weight: '-1', matches: [{ headers: [regular] }, { headers: [exact, regular] }] },
      { '-by-header': 'user', '-by-header-value': 'a' },
    ],
    [
      'a match without headers',
      { weight: '-1', matches: [{ path: { type: 'Exact', value: '/a' } }] },
      {},
    ],
  ])('%s', (_, input, expected) => {
    expect(annotate({ annotations: {}, matches: [], ...input })).toEqual(named(expected))
    expect(annotate({ annotations: null, ...input })).toEqual(named(expected))
  })

  test('what an earlier step has written goes, what others have written stays', () => {
    const matches = [{ headers: [regular] }, { headers: [cookie] }]
    const before = annotate({ annotations: { 'example.com/a': 'b' }, weight: '20', matches })
    expect(annotate({ annotations: before, weight: '30', matches: [] })).toEqual({
      'example.com/a': 'b',
      ...named({ '-weight': '30' }),
    })
  })

  test('twice is as good as once', () => {
    const input = { weight: '20', matches: [{ headers: [exact] }, { headers: [cookie] }] }
    const once = annotate({ annotations: { a: 'b' }, ...input })
    expect(annotate({ annotations: once, ...input })).toEqual(once)
  })
})

describe('Ingress of class mse', () => {
  const annotate = (input: object) =>
    given(ingressScript('mse', {}), { weight: '-1', matches: [], ...input })
  const own = (name: string) => `mse.ingress.kubernetes.io/${name}`
  const canary = (name: string) => `nginx.ingress.kubernetes.io/canary${name}`

  test('query parameters, and none of them afterwards', () => {
    const by = (queryParam: object) => [{ queryParams: [queryParam] }]
    const before = annotate({ annotations: {}, matches: by(exact) })
    expect(before).toEqual({
      [canary('')]: 'true',
      [canary('-by-query')]: 'user',
      [canary('-by-query-value')]: 'a',
    })
    expect(annotate({ annotations: before, matches: by(regular) })).toEqual({
      [canary('')]: 'true',
      [canary('-by-query')]: 'user',
      [canary('-by-query-pattern')]: 'a.*',
    })
    expect(annotate({ annotations: before })).toEqual({ [canary('')]: 'true' })
  })

  test('a subset that was there is gray', () => {
    expect(annotate({ annotations: { [own('service-subset')]: 'base' } })).toEqual({
      [canary('')]: 'true',
      [own('service-subset')]: 'gray',
    })
  })

  test('headers of requests', () => {
    const key = own('request-header-control-update')
    const set = [{ name: 'x-env', value: 'gray' }]
    const one = annotate({ annotations: {}, requestHeaderModifier: { set } })
    expect(one).toMatchObject({ [key]: 'x-env gray' })
    const two = { set: [...set, { name: 'x-team', value: 'a' }] }
    const both = annotate({ annotations: {}, requestHeaderModifier: two })
    expect(both).toMatchObject({ [key]: 'x-env gray\nx-team a' })
    const remove = { remove: ['x-a'] }
    expect(annotate({ annotations: {}, requestHeaderModifier: remove })).not.toHaveProperty([key])
  })
})

describe('VirtualService', () => {
  const script = routerScript('networking.istio.io', 'VirtualService', {})
  const changed = (spec: unknown, input: object) => {
    const shares = { canaryWeight: 20, stableWeight: 80 }
    const services = { stableService: 'web', canaryService: 'web-canary' }
    return given(script, { data: { spec, labels: { a: 'b' } }, ...shares, ...services, ...input })
  }
  const to = (host: string, weight?: number) => {
    return { destination: { host }, ...(weight !== undefined && { weight }) }
  }

  test('a share of the requests', () => {
    const spec = { hosts: ['*'], gateways: ['gate'], http: [{ route: [to('web')] }] }
    expect(changed(spec, {})).toEqual({
      spec: {
        hosts: ['*'],
        gateways: ['gate'],
        http: [{ route: [to('web', 80), to('web-canary', 20)] }],
      },
      labels: { a: 'b' },
    })
  })

  test('of each protocol, by the short name of the host; rules with a match stay', () => {
    const matched = { match: [{ uri: { prefix: '/a' } }], route: [to('web')] }
    const spec = {
      http: [matched, { route: [to('web.shop.svc', 50), to('old', 50)] }, { route: [to('other')] }],
      tcp: [{ route: [to('web')] }],
      tls: [{ match: [], route: [to('web')] }],
    }
    expect(changed(spec, { canaryWeight: 30, stableWeight: 70 })).toMatchObject({
      spec: {
        http: [
          matched,
          { route: [to('web.shop.svc', 35), to('old', 35), to('web-canary', 30)] },
          { route: [to('other')] },
        ],
        tcp: [{ route: [to('web', 70), to('web-canary', 30)] }],
        tls: [{ match: [], route: [to('web', 70), to('web-canary', 30)] }],
      },
    })
  })

  test('weights that were not given are shared out, rounded down; two of one Service are one rule', () => {
    const spec = { http: [{ route: [to('web'), to('web'), to('old')] }] }
    expect(changed(spec, {})).toMatchObject({
      spec: {
        http: [{ route: [to('web', 26), to('web', 26), to('old', 26), to('web-canary', 20)] }],
      },
    })
  })

  test('the port of the stable Service is the port of the canary', () => {
    const destination = { host: 'web', port: { number: 80 } }
    const spec = { http: [{ route: [{ destination }] }] }
    expect(changed(spec, {})).toHaveProperty('spec.http.0.route.1', {
      destination: { host: 'web-canary', port: { number: 80 } },
      weight: 20,
    })
  })

  test('one Service, told by a subset', () => {
    const spec = { http: [{ route: [to('web')] }] }
    expect(changed(spec, { canaryService: 'web' })).toHaveProperty('spec.http.0.route', [
      to('web', 80),
      { destination: { host: 'web', subset: 'canary' }, weight: 20 },
    ])
  })

  test('where no request would reach the canary it fails', () => {
    const words = 'no rule without a match leads to web, so no request would reach the canary'
    expect(changed({ http: [{ route: [to('other')] }] }, {})).toBe(words)
    expect(changed({ hosts: ['*'] }, {})).toBe(words)
  })

  test('matches, the last one first', () => {
    const spec = { http: [{ route: [to('web')] }] }
    const matches = [
      { headers: [exact, { ...regular, name: 'team' }] },
      { path: { type: 'PathPrefix', value: '/a' }, queryParams: [{ ...exact, type: undefined }] },
    ]
    const weights = { canaryWeight: -1, stableWeight: 101 }
    expect(changed(spec, { ...weights, matches })).toMatchObject({
      spec: {
        http: [
          {
            match: [{ uri: { prefix: '/a' }, queryParams: { user: { exact: 'a' } } }],
            route: [to('web-canary')],
          },
          {
            match: [{ headers: { user: { exact: 'a' }, team: { regex: 'a.*' } } }],
            route: [to('web-canary')],
          },
          { route: [to('web')] },
        ],
      },
    })
  })

  test.each([
    ['Exact', 'exact'],
    ['PathPrefix', 'prefix'],
    ['RegularExpression', 'regex'],
  ])('a path: %s', (type, kind) => {
    const matches = [{ path: { type, value: '/a' } }]
    expect(changed({ http: [] }, { matches, canaryService: 'web' })).toHaveProperty('spec.http', [
      {
        match: [{ uri: { [kind]: '/a' } }],
        route: [{ destination: { host: 'web', subset: 'canary' } }],
      },
    ])
  })

  test('headers of the requests that match', () => {
    const requestHeaderModifier = {
      set: [{ name: 'x-env', value: 'gray' }],
      add: [{ name: 'x-via', value: 'canary' }],
      remove: ['x-old'],
    }
    const matches = [{ headers: [exact] }, { headers: [regular] }]
    const changedRules = changed({ http: [] }, { matches, requestHeaderModifier })
    const headers = {
      request: { set: { 'x-env': 'gray' }, add: { 'x-via': 'canary' }, remove: ['x-old'] },
    }
    expect(changedRules).toMatchObject({ spec: { http: [{ headers }, { headers }] } })
    const fewer = { matches, requestHeaderModifier: { set: [], remove: [] } }
    expect(changed({ http: [] }, fewer)).not.toHaveProperty('spec.http.0.headers')
  })
})

describe('DestinationRule', () => {
  const script = routerScript('networking.istio.io', 'DestinationRule', {})
  const changed = (spec: unknown) => given(script, { data: { spec, annotations: { a: 'b' } } })
  const canary = { name: 'canary', labels: { [subsetLabel.key]: subsetLabel.value } }

  test('a subset more', () => {
    const base = { name: 'base', labels: { version: 'base' } }
    expect(changed({ host: 'web', trafficPolicy: { tls: {} }, subsets: [base] })).toEqual({
      spec: { host: 'web', trafficPolicy: { tls: {} }, subsets: [base, canary] },
      annotations: { a: 'b' },
    })
  })

  test('the first one', () => {
    expect(changed({ host: 'web' })).toMatchObject({ spec: { host: 'web', subsets: [canary] } })
  })

  test("somebody's own of that name is not taken for ours", () => {
    const words = 'there is a subset canary already, which would not be told from ours'
    expect(changed({ subsets: [{ name: 'canary' }] })).toBe(words)
  })
})
