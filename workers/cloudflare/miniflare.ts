/** The Worker on this machine: workerd through Miniflare, its data on disk, its outbound requests limited at the socket. */
import { lookup } from 'node:dns/promises'
import { readdir, readFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { kUnsafeEphemeralUniqueKey, Log, LogLevel, Miniflare, type UnsafeUniqueKey } from 'miniflare'
import { parseConfiguration } from '../../src/configuration.ts'
import { rangesOf } from '../../src/source/registry/address.ts'
import { withUploadsLimit } from '../uploads-limit.ts'
import { startFront, urlOf } from './front.ts'
import { CloudflareImageQueue, type ImageMessages, MAX_RETRIES } from './image-queue.ts'
import { type R2Bucket, R2Store } from './r2-store.ts'
import { inBoth } from './ranges.ts'

const BUNDLE = fileURLToPath(new URL('../../dist/worker/', import.meta.url))
const ASSETS = fileURLToPath(new URL('../../dist/assets/', import.meta.url))
/** Where workerd itself listens: only the front uses it. */
const LOOPBACK = '127.0.0.1'
const QUEUE = 'lamina-images'
const WRANGLER = new URL('../../wrangler.toml', import.meta.url)

/** workerd prints its own message for each failed request to a registry; the caller gets an answer anyway. */
const OUTBOUND_FAILURE = /jsgInternalError/

export type RunningWorker = {
  /** `http://host:port` */
  readonly url: string
  /** Where its index is stored. */
  bucket(): Promise<R2Bucket>
  stop(): Promise<void>
}

/** Addresses for workerd's own list: `host[:port]` entries are resolved now, CIDRs are used unchanged. */
async function addresses(entries: readonly string[]): Promise<string[]> {
  const found = await Promise.all(
    entries.map(async (entry) => {
      if (entry.includes('/')) return [entry]
      const { hostname } = new URL(`http://${entry}`)
      const literal = hostname.replace(/^\[|\]$/g, '')
      if (isIP(literal) !== 0) return [network(literal)]
      const resolved = await lookup(hostname, { all: true }).catch(() => [])
      return resolved.map(({ address }) => network(address))
    }),
  )
  return found.flat()
}

function network(address: string): string {
  return `${address}/${isIP(address) === 4 ? 32 : 128}`
}

async function modules() {
  const files = (await readdir(BUNDLE)).filter((name) => name.endsWith('.js') || name.endsWith('.wasm'))
  const loaded = await Promise.all(
    files.map(async (name) => {
      const bytes = await readFile(BUNDLE + name)
      return name.endsWith('.wasm')
        ? ([name, { type: 'wasm' as const, contents: new Uint8Array(bytes) }] as const)
        : ([name, { type: 'esm' as const, contents: bytes.toString('utf8') }] as const)
    }),
  )
  return Object.fromEntries(loaded)
}

/** The compatibility date, the same as on the deployed Worker. */
async function compatibilityDate(): Promise<string> {
  const date = /^compatibility_date = "([\d-]+)"$/m.exec(await readFile(WRANGLER, 'utf8'))?.[1]
  if (date === undefined) throw new Error('wrangler.toml has no compatibility_date')
  return date
}

/** Most are for tests and benchmarks. */
export type WorkerOptions = {
  /** A main module to run instead, next to the bundle's `worker.js`. */
  readonly entry?: string
  /** Compatibility flags besides the Worker's own. */
  readonly flags?: readonly string[]
  /** Port for Chrome's DevTools protocol; none by default. */
  readonly inspectorPort?: number
  /** Objects of jobs have storage and alarms, as on Cloudflare. */
  readonly storedJobs?: true
}

/**
 * A job ends with its process, so its object needs no database on disk: to make one, workerd waits for the disk four times,
 * and does nothing else meanwhile.
 */
const WITHOUT_STORAGE: { readonly unsafeUniqueKey: UnsafeUniqueKey } = {
  unsafeUniqueKey: kUnsafeEphemeralUniqueKey,
}

/**
 * Runs the bundle that `workers/build.ts` made.
 *
 * @param given the service's settings, as environment variables
 * @throws Error naming the variable whose value is wrong
 */
export async function startWorker(
  given: Readonly<Record<string, string | undefined>>,
  { entry, flags = [], inspectorPort, storedJobs }: WorkerOptions = {},
): Promise<RunningWorker> {
  const env = await withUploadsLimit(given, parseConfiguration(given, 'miniflare'))
  const configuration = parseConfiguration(env, 'miniflare')
  const authorities = env.NODE_EXTRA_CA_CERTS
  const tlsOptions = {
    trustBrowserCas: true,
    ...(authorities ? { trustedCertificates: [await readFile(authorities, 'utf8')] } : {}),
  }
  const reachable = await addresses(configuration.privateRegistries)
  const listed = rangesOf(configuration.privateRegistries)
  const insecure = rangesOf(configuration.insecureRegistries)
  const insecureListed = inBoth(insecure, reachable)
  const settings = Object.entries(env).filter(
    (entry): entry is [string, string] => /^(LAMINA_|HOST$|PORT$)/.test(entry[0]) && entry[1] !== undefined,
  )
  const miniflare = new Miniflare({
    host: LOOPBACK,
    port: 0,
    log: new Log(LogLevel.WARN),
    handleStructuredLogs: ({ level, message }) => {
      if (!OUTBOUND_FAILURE.test(message)) process.stderr.write(`${level}: ${message}\n`)
    },
    cf: false,
    ...(inspectorPort === undefined ? {} : { inspectorPort }),
    telemetry: { enabled: false },
    // workerd died, and its queue with it.
    unsafeHandleRuntimeRestart: () => resume(),
    resourcePersistencePath: resolve(configuration.data),
    workers: [
      {
        config: {
          name: 'lamina',
          compatibilityDate: await compatibilityDate(),
          compatibilityFlags: ['nodejs_compat', ...flags],
          manifest: {
            mainModule: entry === undefined ? 'worker.js' : 'entry.js',
            modulesRoot: '/',
            modules: {
              ...(await modules()),
              ...(entry === undefined ? {} : { 'entry.js': { type: 'esm' as const, contents: entry } }),
            },
          },
          assets: { directory: ASSETS, runWorkerFirst: true, hasUserWorker: true },
          triggers: [
            {
              type: 'queue',
              name: QUEUE,
              deadLetterQueue: `${QUEUE}-failed`,
              maxBatchSize: 4,
              maxBatchTimeout: 1,
              maxRetries: MAX_RETRIES,
            },
          ],
          exports: {
            JobObject: {
              type: 'durable-object',
              storage: 'sqlite',
              ...(storedJobs ? {} : WITHOUT_STORAGE),
            },
            UploadObject: { type: 'durable-object', storage: 'sqlite' },
          },
          env: {
            ...Object.fromEntries(settings.map(([name, value]) => [name, { type: 'text' as const, value }])),
            ASSETS: { type: 'assets' },
            BUCKET: { type: 'r2', name: 'lamina' },
            IMAGE_QUEUE: { type: 'queue', name: QUEUE },
            JOBS: { type: 'durable-object', worker: 'lamina', exportName: 'JobObject' },
            UPLOADS: { type: 'durable-object', worker: 'lamina', exportName: 'UploadObject' },
            EGRESS: { type: 'network', allow: ['public'], tlsOptions },
            EGRESS_PRIVATE: {
              type: 'network',
              allow: ['public', ...reachable],
              tlsOptions,
            },
            ...(listed.length === 0
              ? {}
              : { EGRESS_LISTED: { type: 'network' as const, allow: [...listed], tlsOptions } }),
            ...(insecure.length === 0
              ? {}
              : {
                  EGRESS_PUBLIC_PLAIN: {
                    type: 'network' as const,
                    allow: [...insecure],
                    deny: ['private', 'local'],
                    tlsOptions,
                  },
                }),
            ...(insecureListed.length === 0
              ? {}
              : { EGRESS_LISTED_PLAIN: { type: 'network' as const, allow: insecureListed, tlsOptions } }),
          },
        },
        dev: {
          unsafeDirectSockets: [{ host: LOOPBACK, port: 0, entrypoint: 'local' }],
        },
      },
    ],
  })
  await miniflare.ready
  const bindings = () =>
    miniflare.getBindings<{ readonly BUCKET: R2Bucket; readonly IMAGE_QUEUE: ImageMessages }>('lamina')
  const resume = async () => {
    const { BUCKET, IMAGE_QUEUE } = await bindings()
    await new CloudflareImageQueue(IMAGE_QUEUE, new R2Store(BUCKET)).resume()
  }
  const front = await startFront(configuration, await miniflare.unsafeGetDirectURL('lamina', 'local')).catch(
    async (error: unknown) => {
      await miniflare.dispose()
      throw error
    },
  )
  await resume()
  const url = urlOf(configuration.host, front.port)
  return {
    url,
    async bucket() {
      return (await bindings()).BUCKET
    },
    async stop() {
      await front.stop()
      await miniflare.dispose()
    },
  }
}
