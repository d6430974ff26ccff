// The part of undici that is used: pools and their connections. Its index loads mocks, caches and
// proxies beside them, which would take 13 MiB in each process.

import request from 'undici/lib/api/api-request.js'
import buildConnector from 'undici/lib/core/connect.js'
import Dispatcher from 'undici/lib/dispatcher/dispatcher.js'
import Pool from 'undici/lib/dispatcher/pool.js'

// As the index does it, with the one way to send a request that is used.
Object.assign(Dispatcher.prototype, { request })

export { Pool, buildConnector }
