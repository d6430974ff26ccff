// Which script there is for what: ours, which come with us, and the users' own from a ConfigMap.

import { readFileSync } from 'node:fs'

import type { Script } from '#core/traffic/script.ts'

/** The ConfigMap in which users keep scripts of their own, with the name that Kruise Rollouts gave it. */
const SCRIPTS = 'kruise-rollout-configuration'
/** A key there: this and the class of an Ingress, or this and `<kind>.<group>` of another router. */
const INGRESS_SCRIPT = 'lua.traffic.routing.ingress.'
const ROUTER_SCRIPT = 'lua.traffic.routing.'

/** Found, or a sentence that says what is missing and what to do. */
export type Found = Script | { readonly missing: string }

/** The data of the users' ConfigMap; empty where there is none. */
export type OwnScripts = Readonly<Record<string, string>>

/** For an Ingress of that class, or of none: a script of the user's own comes before ours. */
export function ingressScript(ingressClass: string, own: OwnScripts): Found {
  const known = ingressClass === '' ? 'nginx' : ingressClass
  const what = `an Ingress of class ${known}`
  const key = `${INGRESS_SCRIPT}${known}`
  const remedy = `one of your own in ${place(key)} comes before it`
  return ownScript(what, key, own) ?? ours(what, ingresses.get(known), remedy) ?? missing(what, key)
}

/** For an object of another router: ours comes before a script of the user's own. */
export function routerScript(group: string, kind: string, own: OwnScripts): Found {
  const what = `a ${kind} of ${group}`
  const key = `${ROUTER_SCRIPT}${kind}.${group}`
  const remedy = 'the object that it was given is to be changed'
  const text = routers.get(`${kind}.${group}`)
  return ours(what, text, remedy) ?? ownScript(what, key, own) ?? missing(what, key)
}

const nginx = textOf(new URL('./scripts/ingress/nginx.lua', import.meta.url))

const ingresses: ReadonlyMap<string, string> = new Map([
  ['nginx', nginx],
  ['higress', nginx],
  ['aliyun-alb', textOf(new URL('./scripts/ingress/aliyun-alb.lua', import.meta.url))],
  ['mse', textOf(new URL('./scripts/ingress/mse.lua', import.meta.url))],
])

const routers: ReadonlyMap<string, string> = new Map([
  [
    'VirtualService.networking.istio.io',
    textOf(new URL('./scripts/networking.istio.io/VirtualService.lua', import.meta.url)),
  ],
  [
    'DestinationRule.networking.istio.io',
    textOf(new URL('./scripts/networking.istio.io/DestinationRule.lua', import.meta.url)),
  ],
])

function textOf(file: URL): string {
  return readFileSync(file, 'utf8')
}

function place(key: string): string {
  return `ConfigMap ${SCRIPTS}, key ${key}`
}

function ownScript(what: string, key: string, own: OwnScripts): Script | undefined {
  if (!Object.hasOwn(own, key)) return undefined
  return {
    name: `the script for ${what} (${place(key)})`,
    text: own[key]!,
    remedy: 'correct it there',
  }
}

function ours(what: string, text: string | undefined, remedy: string): Script | undefined {
  return text === undefined ? undefined : { name: `our script for ${what}`, text, remedy }
}

function missing(what: string, key: string): Found {
  return { missing: `there is no script for ${what}: write one in ${place(key)}` }
}
