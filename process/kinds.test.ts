// The flag that registers kinds.

import { expect, test } from 'vitest'

import { kindsInWords, kindsOf, routeKindsOf } from './kinds.ts'

const shard = { apiVersion: 'databases.example.com/v1', kind: 'Shard', plural: 'shards' }
const ring = { apiVersion: 'caches.example.com/v1beta1', kind: 'Ring', plural: 'rings' }

test('several with commas between, and none', () => {
  const text = 'databases.example.com/v1/Shard=shards,caches.example.com/v1beta1/Ring=rings'
  expect(kindsOf('--extra-kinds', text)).toEqual([shard, ring])
  expect(kindsInWords([shard, ring])).toBe(text)
  expect(kindsOf('--extra-kinds', '')).toEqual([])
})

const expected =
  '--extra-kinds: expected GROUP/VERSION/KIND=PLURAL, such as databases.example.com/v1/Shard=shards, got '

test.each([
  ['databases.example.com/v1/Shard', `${expected}"databases.example.com/v1/Shard"`],
  ['databases.example.com/Shard=shards', `${expected}"databases.example.com/Shard=shards"`],
  ['databases.example.com/v1/shard=shards', `${expected}"databases.example.com/v1/shard=shards"`],
  [
    'apps/v1/StatefulSet=statefulsets',
    '--extra-kinds: apps/v1 StatefulSet is released without being named here',
  ],
  [
    'apps.kruise.io/v1beta1/CloneSet=clonesets',
    '--extra-kinds: apps.kruise.io/v1beta1 CloneSet is released as apps.kruise.io/v1alpha1: a Rollout names it so',
  ],
  [
    'databases.example.com/v1/Shard=shards,databases.example.com/v2/Shard=shards',
    '--extra-kinds: databases.example.com/v2 Shard is named twice',
  ],
  [
    'apps/v1/ReplicaSet=replicasets',
    "--extra-kinds: apps/v1 ReplicaSet is Kubernetes' own: a kind of your own has a group with a dot in it",
  ],
  [
    'databases.example.com/v1/Shard=shards,databases.example.com/v1/Shard=shards',
    '--extra-kinds: databases.example.com/v1 Shard is named twice',
  ],
])('%s is refused', (text, message) => {
  expect(() => kindsOf('--extra-kinds', text)).toThrow(new Error(message))
})

test('kinds by which requests are moved', () => {
  const lane = { apiVersion: 'mesh.example.com/v1', kind: 'Lane', plural: 'lanes' }
  const tcp = {
    apiVersion: 'gateway.networking.k8s.io/v1alpha2',
    kind: 'TCPRoute',
    plural: 'tcproutes',
  }
  expect(routeKindsOf('--route-kinds', kindsInWords([lane, tcp]))).toEqual([lane, tcp])
})

test.each([
  [
    'networking.istio.io/v1alpha3/VirtualService=virtualservices',
    'networking.istio.io/v1alpha3 VirtualService routes requests without being named here',
  ],
  [
    'gateway.networking.k8s.io/v1/GRPCRoute=grpcroutes',
    'gateway.networking.k8s.io/v1 GRPCRoute routes requests without being named here',
  ],
  [
    'networking.k8s.io/v1/NetworkPolicy=networkpolicies',
    "networking.k8s.io/v1 NetworkPolicy is Kubernetes' own, and routes no requests",
  ],
  ['a.example.com/v1/A=as,a.example.com/v2/A=as', 'a.example.com/v2 A is named twice'],
])('%s is refused', (text, message) => {
  expect(() => routeKindsOf('--route-kinds', text)).toThrow(new Error(`--route-kinds: ${message}`))
})
