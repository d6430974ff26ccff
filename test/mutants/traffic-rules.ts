// Rules by which requests are moved, and the source without each.

import type { Rule } from './rule.ts'

const moves = 'core/traffic/moves.ts'
const twoServices = 'core/traffic/two-services.ts'
const oneService = 'core/traffic/one-service.ts'
const histories = 'test/properties/requests.test.ts'
const movesTest = 'core/traffic/moves.test.ts'
const oneServiceTest = 'core/traffic/one-service.test.ts'
const leavingTest = 'cli/requests.test.ts'
const laws = 'test/contracts/routers.test.ts'
const httpRoute = 'core/traffic/http-route-router.ts'
const ingress = 'core/traffic/ingress-router.ts'
const network = 'core/traffic/network-router.ts'
const order = 'core/rollout/requests.test.ts'
const routings = 'core/traffic-routing/decide.ts'
const routingsTest = 'core/traffic-routing/decide.test.ts'

/** A row for each. */
export const trafficRules: readonly Rule[] = [
  [
    'before new pods leave, every gateway has seen that they get no requests',
    twoServices,
    '[unsplit, unsplitSeen, graced]',
    '[unsplit, graced]',
    histories,
  ],
  [
    'requests under way get their grace period',
    twoServices,
    '[unsplit, unsplitSeen, graced]',
    '[unsplit, unsplitSeen]',
    movesTest,
  ],
  [
    'requests are sent to new pods once one of them answers',
    twoServices,
    'canaryMade, newServes, splitWritten',
    'canaryMade, splitWritten',
    histories,
  ],
  [
    'the Service leaves new pods out before the first one starts',
    twoServices,
    'othersAway, pinnedToStable, stableAlone]',
    'othersAway]',
    histories,
  ],
  [
    'new pods leave after their requests',
    twoServices,
    'stable: [unpinnedFromNew, ...away]',
    'stable: [unpinnedFromNew]',
    histories,
  ],
  [
    'in the end the Service selects as its owner wrote',
    twoServices,
    'all: [...free, ...away]',
    'all: away',
    histories,
  ],
  [
    'the Service of new pods has the ports of the stable one',
    twoServices,
    'equalJson(portsOf(canary) ?? [], ports)',
    'true',
    movesTest,
  ],
  [
    'of a workload that is gone the Service is freed last',
    moves,
    'routed.pods ? aims[aim.to] : gone',
    'aims[aim.to]',
    leavingTest,
  ],
  [
    'one Service: requests leave pods of another version before those leave',
    oneService,
    'routesThere, othersAway, remembered]',
    'routesThere, remembered]',
    oneServiceTest,
  ],
  [
    'one Service: it remembers by what its requests come before a new pod starts',
    oneService,
    'routesThere, othersAway, remembered]',
    'routesThere, othersAway]',
    oneServiceTest,
  ],
  [
    'one Service: requests are sent to new pods once one of them answers',
    oneService,
    'noted, newServes, splitByRoutes',
    'noted, splitByRoutes',
    oneServiceTest,
  ],
  [
    'one Service: it knows to whose pods before requests are sent there',
    oneService,
    'noted, newServes, splitByRoutes',
    'newServes, splitByRoutes',
    oneServiceTest,
  ],
  [
    'one Service: requests under way get their grace period',
    oneService,
    '[unsplit, unsplitSeen, graced]',
    '[unsplit, unsplitSeen]',
    oneServiceTest,
  ],
  [
    'one Service: what it remembers goes last',
    oneService,
    "all: [...away, ...ofTask('RestoreStableService', [forgotten])]",
    "all: [...ofTask('RestoreStableService', [forgotten]), ...away]",
    oneServiceTest,
  ],
  [
    'one Service: before all others leave everybody is sent to new pods',
    oneService,
    'split: { percent: 100 }, now',
    'split: {}, now',
    oneServiceTest,
  ],
  [
    'one Service: a router that needs two moves nothing',
    oneService,
    'return betweenServices && blocked(why)',
    'return undefined',
    oneServiceTest,
  ],
  [
    'one Service: a workload that is gone is found by it',
    'core/traffic/left.ts',
    'routedTo !== undefined && ({ oneService: true } as const)',
    'false',
    oneServiceTest,
  ],
  [
    'one Service: in which way a release has begun is kept until it ends',
    'core/admission/frozen.ts',
    'if (plan.oneService !== old.oneService)',
    'if (false)',
    'core/admission/validation.test.ts',
  ],
  [
    'an owner gets back what he wants by now',
    'core/traffic/wish.ts',
    'return was ? provider.ownerOf(value, was) : value',
    'return was ? was.owner : value',
    leavingTest,
  ],
  [
    'a gateway has to say that it has taken the split over',
    httpRoute,
    "if (observed !== 'yes') return takingOver(name, ref)",
    '',
    laws,
  ],
  [
    'an HTTPRoute that leads elsewhere moves nothing',
    httpRoute,
    'if (!reaches(route, service))',
    'if (false)',
    laws,
  ],
  [
    'an HTTPRoute that its owner has taken over is left alone',
    httpRoute,
    'if (!object || isFree(object)) return undefined',
    'if (!object) return undefined',
    laws,
  ],
  [
    'an Ingress is given its grace period from the write on',
    ingress,
    'if (now >= over) return undefined',
    'return undefined',
    laws,
  ],
  [
    'an Ingress of somebody else is never taken away',
    ingress,
    'if (!made || !isMadeFor(owner, routing.service, made)) return undefined',
    'if (!made) return undefined',
    laws,
  ],
  [
    'an Ingress that leads elsewhere moves nothing',
    ingress,
    'if (!leadsTo(object.object, routing.service))',
    'if (false)',
    laws,
  ],
  [
    'an Ingress of ours that says the same is the same write at any time',
    ingress,
    'return atAnyTime({ changes: [patched(ingressRouter, made, patch)], why }, [annotations, spec])',
    'return { changes: [patched(ingressRouter, made, patch)], why }',
    laws,
  ],
  [
    'an object of a mesh is given its grace period from the write on',
    network,
    'if (now >= over) return undefined',
    'return undefined',
    laws,
  ],
  [
    'an object of a mesh that its owner has taken over is named',
    network,
    'if (object.escaped) return takenOut(name)',
    '',
    laws,
  ],
  [
    'an object of a mesh that is to say the same is the same write at any time',
    network,
    'return move && atAnyTime(move, said)',
    'return move',
    laws,
  ],
  [
    'what was made for a workload that is gone, and is nobody’s now, goes home',
    'core/traffic/made.ts',
    'return owner === undefined || made.workload === keyOf(owner.ref)',
    'return owner !== undefined && made.workload === keyOf(owner.ref)',
    laws,
  ],
  [
    'a TrafficRouting that is missing keeps the release waiting',
    'core/rollout/decide.ts',
    '      routingReady,\n',
    '',
    order,
  ],
  [
    'before new pods leave at the end no TrafficRouting sends them requests',
    'core/rollout/decide.ts',
    'requestsToNew,\n      routingHome,',
    'requestsToNew,',
    order,
  ],
  [
    'nor in a rollback',
    'core/rollout/decide.ts',
    'requestsBack,\n      routingHome,',
    'requestsBack,',
    order,
  ],
  [
    'that its routes move is told before the first one does',
    routings,
    "object!.status?.phase === 'Progressing' ? decision : announced",
    'decision',
    routingsTest,
  ],
  [
    'its routes stay home while nobody answers',
    routings,
    's.users.some(({ answers }) => answers) ? routing',
    's.users.length > 0 ? routing',
    routingsTest,
  ],
  [
    'a route that is moved for another one is left to that',
    'core/traffic/touched.ts',
    'if (workload === keyOf(whose)) return undefined',
    'return undefined',
    routingsTest,
  ],
  [
    'eject gives no workload back before the routes of its TrafficRouting',
    'cli/eject.ts',
    'if (routing !== undefined) return { refusal: routedRefusal(',
    'if (routing === "") return { refusal: routedRefusal(',
    'cli/eject.test.ts',
  ],
  [
    'nor while a Rollout stands whose release has begun with it',
    'cli/lost.ts',
    'const keys = begun ? routingsOf(stand) : routingsIn(rollout)',
    'const keys = routingsIn(rollout)',
    'cli/eject.test.ts',
  ],
  [
    'requests that came by the routes of a TrafficRouting get their grace period',
    'cli/requests.ts',
    'return now < until ?',
    'return now < 0 ?',
    leavingTest,
  ],
  [
    'requests that came by a TrafficRouting get their grace period before new pods leave',
    routings,
    's.moved === undefined && !isBegun(s.object) && draining(s) === undefined',
    's.moved === undefined',
    histories,
  ],
  [
    'also where it was deleted meanwhile, and made anew',
    routings,
    '!home.seen && isAlive(object)',
    'isAlive(object)',
    routingsTest,
  ],
  [
    'another release keeps its routes only while a new pod of that answers',
    routings,
    'rollout !== self && answers',
    'rollout !== self',
    routingsTest,
  ],
  [
    'and while they can be as it says',
    routings,
    "(others && decision.phase === 'Progressing')",
    'others',
    routingsTest,
  ],
  [
    'it sends nobody to a pod that its Service does not list yet',
    'core/traffic-routing/users.ts',
    '(!isTheirs || listed.has(uid))',
    'true',
    histories,
  ],
  [
    'its routes are home before a workload is given back whose Rollout is gone',
    'core/rollout/decide.ts',
    'takenOver, requestsFree, routingHome, givenBack',
    'takenOver, requestsFree, givenBack',
    order,
  ],
  [
    'or is disabled',
    'core/rollout/decide.ts',
    '[requestsFree, routingHome, givenBack, unhindered, nativeForgotten]',
    '[requestsFree, givenBack, unhindered, nativeForgotten]',
    order,
  ],
]
