/**
 * What is used of undici. Its entry also loads its `fetch`, caches, mocks and sockets, which takes twice the time, in the
 * command and in each of its threads.
 */
import api from 'undici/lib/api/index.js'
import buildConnector from 'undici/lib/core/connect.js'
import Dispatcher from 'undici/lib/dispatcher/dispatcher.js'
import EnvHttpProxyAgent from 'undici/lib/dispatcher/env-http-proxy-agent.js'

// As the entry does: `request`, and `connect` for tunnels through proxies.
Object.assign(Dispatcher.prototype, api)

export { buildConnector, EnvHttpProxyAgent }
