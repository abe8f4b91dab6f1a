/** A registry client for tests: the real one with short timeouts, and recorded. */
import { type Configuration, parseConfiguration } from '../../src/configuration.ts'
import type { Fetch } from '../../src/host.ts'
import { type ClientOptions, RegistryClient } from '../../src/source/registry/client.ts'
import { systemClock } from '../../src/source/registry/clock.ts'

export type WatchedClient = {
  readonly client: RegistryClient
  /** Every URL requested, in order, including attempts with TLS before falling back to plain http. */
  readonly asked: string[]
  /** Milliseconds that the client would have slept between attempts. */
  readonly slept: number[]
}

/** Settings that let tests reach registries on this machine over plain http. */
export const LOOPBACK_SETTINGS = {
  LAMINA_PRIVATE_REGISTRIES: '127.0.0.0/8',
  LAMINA_INSECURE_REGISTRIES: '127.0.0.0/8',
} as const

/** No guard at the socket: whatever the core allows is requested. */
export const plainFetch: Fetch = (url, init) => fetch(url, init)

export function testConfiguration(
  settings: Readonly<Record<string, string>> = LOOPBACK_SETTINGS,
): Configuration {
  return parseConfiguration(settings, 'node')
}

/** @param options.clock by default a clock that does not sleep, but records for how long it would have */
export function watchedClient(
  options: ClientOptions & { readonly configuration?: Configuration; readonly fetch?: Fetch } = {},
): WatchedClient {
  const asked: string[] = []
  const slept: number[] = []
  const { configuration = testConfiguration(), fetch = plainFetch, ...rest } = options
  const client = new RegistryClient({
    configuration,
    fetch: (url, init, reach) => {
      asked.push(url.href)
      return fetch(url, init, reach)
    },
    clock: {
      ...systemClock,
      sleep: async (milliseconds, signal) => {
        slept.push(milliseconds)
        signal?.throwIfAborted()
      },
    },
    ...rest,
  })
  return { client, asked, slept }
}
