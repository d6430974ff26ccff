// Which script there is for what: ours, which come with us, and the users' own from a ConfigMap.

import { readFileSync } from 'node:fs'

import { OWN_SCRIPTS, SCRIPT_KEY } from '#api/names.ts'
import { groupOf } from '#core/ref.ts'
import type { FoundScript, Script } from '#core/script.ts'
import type { RouteRef } from '#core/traffic/model.ts'

/** The data of the users' ConfigMap; empty where there is none. */
export type OwnScripts = Readonly<Record<string, string>>

/** For an object of that kind. */
export function scriptFor({ apiVersion, kind, className }: RouteRef, own: OwnScripts): FoundScript {
  return className === undefined
    ? routerScript(groupOf({ apiVersion }), kind, own)
    : ingressScript(className, own)
}

/** Ours counts, whatever users have written. */
export function isOursAlone({ apiVersion, kind, className }: RouteRef): boolean {
  return className === undefined && routers.has(`${kind}.${groupOf({ apiVersion })}`)
}

/** For an Ingress of that class: a script of the user's own comes before ours. */
export function ingressScript(known: string, own: OwnScripts): FoundScript {
  const what = `an Ingress of class ${known}`
  const key = `${SCRIPT_KEY}ingress.${known}`
  const remedy = `one of your own in ${place(key)} comes before it`
  return ownScript(what, key, own) ?? ours(what, ingresses.get(known), remedy) ?? missing(what, key)
}

/** For an object of another router: ours comes before a script of the user's own. */
export function routerScript(group: string, kind: string, own: OwnScripts): FoundScript {
  const what = `a ${kind} of ${group}`
  const key = `${SCRIPT_KEY}${kind}.${group}`
  const remedy = 'the object that it was given is to be changed'
  const text = routers.get(`${kind}.${group}`)
  return ours(what, text, remedy) ?? ownScript(what, key, own) ?? missing(what, key)
}

const shared = textOf(new URL('./scripts/ingress/shared.lua', import.meta.url))
const nginx = shared + textOf(new URL('./scripts/ingress/nginx.lua', import.meta.url))

const ingresses: ReadonlyMap<string, string> = new Map([
  ['nginx', nginx],
  ['higress', nginx],
  ['aliyun-alb', shared + textOf(new URL('./scripts/ingress/aliyun-alb.lua', import.meta.url))],
  ['mse', shared + textOf(new URL('./scripts/ingress/mse.lua', import.meta.url))],
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
  return `ConfigMap ${OWN_SCRIPTS}, key ${key}`
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

function missing(what: string, key: string): FoundScript {
  return { missing: `there is no script for ${what}: write one in ${place(key)}` }
}
