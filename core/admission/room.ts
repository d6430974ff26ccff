// Whether what is made beside a Service and an Ingress can have its name. It is asked where a Rollout is written: one
// that is stored goes on as well as it can.

import type { Rollout, TrafficRouting } from '#api/rollout.generated.ts'
import type { Problem } from '../problem.ts'
import { strategyField, strategyOf } from '../rollout/release-style.ts'
import { canaryServiceName } from '../traffic/canary-service.ts'
import { canaryIngressName } from '../traffic/ingress.ts'

/** So many characters the API server takes. */
const MOST = { Service: 63, Ingress: 253 } as const

interface Made {
  readonly kind: keyof typeof MOST
  readonly name: string
  /** That of what it is made beside, in an item of `trafficRoutings`. */
  readonly field: string
}

/** The names in `trafficRoutings` that leave no room for `-canary`. */
export function withoutRoom({ spec }: Rollout): readonly Problem[] {
  const { trafficRoutings = [], disableGenerateCanaryService: one = false } = strategyOf(spec)
  const path = `spec.strategy.${strategyField(spec)}.trafficRoutings`
  return trafficRoutings.flatMap((item, index) =>
    madeBeside(item, one)
      .filter(({ kind, name }) => name.length > MOST[kind])
      .map(({ kind, field }) => ({
        field: `${path}[${index}].${field}`,
        message: `the ${kind} made beside it is called so with \`-canary\` after it, and a name has ${MOST[kind]} characters at most: rename the ${kind}`,
      })),
  )
}

function madeBeside({ service, ingress }: TrafficRouting, oneService: boolean): readonly Made[] {
  const made: Made[] = []
  if (!oneService)
    made.push({ kind: 'Service', name: canaryServiceName(service), field: 'service' })
  if (ingress) {
    made.push({ kind: 'Ingress', name: canaryIngressName(ingress.name), field: 'ingress.name' })
  }
  return made
}
