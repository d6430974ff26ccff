// Every kind of object by which requests are moved, a row each.

import { httpRoutes } from './http-route.ts'
import type { TrafficProvider } from './model.ts'
import { services } from './service-pin.ts'

/** The kinds. */
export const trafficProviders: readonly TrafficProvider[] = [services, httpRoutes]
