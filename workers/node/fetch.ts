/**
 * Outbound HTTP on Node: undici with keep-alive connections, proxies from the environment, and a guard at the socket that sees
 * what a name resolves to. Not undici's `fetch`, which decodes the `Content-Encoding`, while digests are of the encoded bytes.
 */
import { type LookupAddress, lookup } from 'node:dns'
import { lookup as resolve } from 'node:dns/promises'
import type { LookupFunction } from 'node:net'
import { getCACertificates } from 'node:tls'
import { buildConnector, type Dispatcher, EnvHttpProxyAgent } from 'undici'
import type { Configuration } from '../../src/configuration.ts'
import type { Fetch, Reach } from '../../src/host.ts'
import { Problem } from '../../src/problem.ts'
import { isListed, parseAddress, rangesOf, specialUseOf } from '../../src/source/registry/address.ts'
import { toAllow } from '../../src/source/registry/guard.ts'
import { waitFor } from '../../src/timeout.ts'
import { responseBody } from './body-stream.ts'
import { type Trust, trustedAlso } from './trust.ts'

type Rules = Pick<Configuration, 'privateRegistries' | 'insecureRegistries'>
/** Hosts that are reached without the environment's proxies: `*` for all. By default it is the environment's `no_proxy`. */
type Proxies = { readonly noProxy?: string }

/** Connections to one origin at once, most of them reading layers. */
const MAX_CONNECTIONS = 64
const KEEP_ALIVE_MILLISECONDS = 10_000
const CONNECT_MILLISECONDS = 15_000

const NULL_BODY = new Set([204, 205, 304])

const defaultPort = (protocol: string) => (protocol === 'http:' ? '80' : '443')

/** Where a connection may go: `rules` lists the private addresses that `reach` allows. */
type Limits = { readonly port: string; readonly reach: Reach; readonly rules: Rules }

/** @returns why the address may not be reached, as a problem; undefined if it may */
function refusalOf(address: string, host: string, { port, reach, rules }: Limits): Problem | undefined {
  const refusal = (why: string) => new Problem('forbidden_registry', why)
  const shown = host === address ? host : `${host} (${address})`
  const list = rules.privateRegistries
  if (reach === 'listed' && !isListed(rangesOf(list), address, port))
    return refusal(`${shown} is in no range of LAMINA_PRIVATE_REGISTRIES`)
  const isPlain = reach === 'publicPlain' || reach === 'listedPlain'
  if (isPlain && !isListed(rangesOf(rules.insecureRegistries), address, port))
    return refusal(`${shown} is in no range of LAMINA_INSECURE_REGISTRIES`)
  const parsed = parseAddress(address)
  const use = parsed === undefined ? 'unknown' : specialUseOf(parsed)
  if (use === undefined && reach !== 'listedPlain') return undefined
  // A listed name may be anywhere that its resolver says.
  if (!reach.startsWith('public') && (isListed(list, address, port) || isListed(list, host, port)))
    return undefined
  return refusal(`${shown} is a ${use ?? 'public'} address; ${toAllow(host)}`)
}

/** Resolves names like `dns.lookup`, but only to allowed addresses. */
function guardedLookup(limits: Limits): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return callback(error, '')
      let refusal: Problem | undefined
      const allowed: LookupAddress[] = []
      for (const each of addresses) {
        const problem = refusalOf(each.address, hostname, limits)
        if (problem === undefined) allowed.push(each)
        else refusal ??= problem
      }
      const [first] = allowed
      if (first === undefined) return callback(refusal ?? new Error(`${hostname} has no address`), '')
      if (options.all) return callback(null, allowed)
      return callback(null, first.address, first.family)
    })
  }
}

const PROXIES = ['http_proxy', 'HTTP_PROXY', 'https_proxy', 'HTTPS_PROXY']

/**
 * A proxy connects by name, so no lookup of ours sees the address: each name is resolved here first, and rejected if any of its
 * addresses is.
 *
 * @throws Problem `forbidden_registry`; the resolver's error
 */
async function checkBeforeProxy(url: URL, reach: Reach, rules: Rules): Promise<void> {
  const port = url.port || defaultPort(url.protocol)
  for (const { address } of await resolve(url.hostname, { all: true })) {
    const refusal = refusalOf(address, url.hostname, { port, reach, rules })
    if (refusal !== undefined) throw refusal
  }
}

/** One pool per reach: a connection opened for one is never used for the other. */
function createAgent(reach: Reach, rules: Rules, proxies: Proxies): Dispatcher {
  const connectors = new Map<string, buildConnector.connector>()
  const trust = trustedAlso()
  const connectorFor = (host: string, port: string) => {
    const isUnverified = trust !== undefined && isListed(trust.unverified, host, port)
    const key = isUnverified ? `${host}:${port}` : port
    const known = connectors.get(key)
    if (known !== undefined) return known
    const made = buildConnector({
      allowH2: false,
      timeout: CONNECT_MILLISECONDS,
      lookup: guardedLookup({ port, reach, rules }),
      ...(isUnverified ? { rejectUnauthorized: false } : {}),
      ...authoritiesOf(trust),
    })
    connectors.set(key, made)
    return made
  }
  return new EnvHttpProxyAgent({
    ...proxies,
    allowH2: false,
    connections: MAX_CONNECTIONS,
    keepAliveTimeout: KEEP_ALIVE_MILLISECONDS,
    connect: (options, callback) =>
      connectorFor(options.hostname, options.port || defaultPort(options.protocol))(options, callback),
  })
}

function authoritiesOf(trust: Trust | undefined): { readonly ca?: string[] } {
  if (trust?.authorities === undefined) return {}
  return { ca: [...getCACertificates('default'), trust.authorities] }
}

function toHeaders(raw: Readonly<Record<string, string | string[] | undefined>>): Headers {
  const headers = new Headers()
  for (const [name, value] of Object.entries(raw))
    for (const each of [value ?? []].flat()) headers.append(name, each)
  return headers
}

/** The problem from the guard at the socket, extracted from undici's error. */
function problemIn(error: unknown): Problem | undefined {
  for (let cause = error, depth = 0; cause instanceof Error && depth < 8; depth++) {
    if (cause instanceof Problem) return cause
    cause = cause instanceof AggregateError ? cause.errors[0] : cause.cause
  }
  return undefined
}

async function request(agent: Dispatcher, url: URL, init: RequestInit): Promise<Response> {
  const answer = await agent.request({
    origin: url.origin,
    path: `${url.pathname}${url.search}`,
    method: init.method ?? 'GET',
    headers: Object.fromEntries(new Headers(init.headers)),
    body: typeof init.body === 'string' ? init.body : null,
    signal: init.signal ?? null,
  })
  const headers = toHeaders(answer.headers)
  const status = answer.statusCode
  if (init.method !== 'HEAD' && !NULL_BODY.has(status))
    return new Response(responseBody(answer.body), { status, headers })
  await answer.body.dump()
  return new Response(null, { status, headers })
}

/**
 * @throws Problem `forbidden_registry` for an address outside of the reach, whether it is in the URL or its name resolves to
 *   it; undici's network errors
 */
export function createFetch(rules: Rules, proxies: Proxies = {}): Fetch {
  const agents = new Map<Reach, Dispatcher>()
  const agentFor = (reach: Reach) => {
    const agent = agents.get(reach) ?? createAgent(reach, rules, proxies)
    agents.set(reach, agent)
    return agent
  }
  const isProxied = PROXIES.some((name) => process.env[name])
  return async (url, init, reach) => {
    // undici connects to an address in the URL without a lookup.
    if (parseAddress(url.hostname) !== undefined) {
      const port = url.port || defaultPort(url.protocol)
      const refusal = refusalOf(url.hostname, url.hostname, { port, reach, rules })
      if (refusal !== undefined) throw refusal
    } else if (isProxied) {
      await waitFor(checkBeforeProxy(url, reach, rules), { signal: init.signal ?? undefined })
    }
    try {
      return await request(agentFor(reach), url, init)
    } catch (error) {
      throw problemIn(error) ?? error
    }
  }
}
