/** The Worker's bindings: see `wrangler.toml` and, for `npm start`, `start.ts`. */
import { waitUntil } from 'cloudflare:workers'
import { parseConfiguration } from '../../src/configuration.ts'
import type { Expiry, WasmName } from '../../src/host.ts'
import { Memory } from '../../src/open/caches.ts'
import type { Service } from '../../src/open/service.ts'
import type { Assets } from '../../src/pages/assets.ts'
import { RegistryClient } from '../../src/source/registry/client.ts'
import sha256 from '../wasm/sha256.wasm'
import zstd from '../wasm/zstd.wasm'
import type { Analytics } from './analytics.ts'
import { DurableJobs, type JobObjects } from './durable-jobs.ts'
import { FactsCache } from './facts-cache.ts'
import { createFetch, type WaysOut } from './fetch.ts'
import { CloudflareImageQueue, type ImageMessages } from './image-queue.ts'
import { shareMemory } from './memory.ts'
import { type R2Bucket, R2Store } from './r2-store.ts'
import type { RateLimiter } from './rate.ts'
import { yieldingBucket } from './yielding-bucket.ts'

const WASM: Record<WasmName, WebAssembly.Module> = { zstd, sha256 }

type Fetcher = { fetch(request: Request): Promise<Response> }

export type Environment = {
  readonly BUCKET: R2Bucket
  readonly ASSETS: Fetcher
  readonly JOBS: JobObjects
  readonly IMAGE_QUEUE: ImageMessages
  readonly UPLOADS: { idFromName(name: string): unknown; get(id: unknown): UploadStub }
  /** On a deployed Worker: the limit in `wrangler.toml`; on Miniflare `LAMINA_RATE`, counted in memory. */
  readonly RATE?: RateLimiter
  /** On a deployed Worker. */
  readonly ANALYTICS?: Analytics
} & WaysOut & { readonly [setting: string]: unknown }

type UploadStub = { watch(upload: string, at: number): Promise<void> }

/** One object per upload; its alarm removes the upload. */
function durableExpiry({ UPLOADS }: Environment): Expiry {
  return { watch: (upload, at) => UPLOADS.get(UPLOADS.idFromName(upload)).watch(upload, at) }
}

function settings(environment: Environment): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  )
}

/** What Cloudflare allows for one request. */
const MAX_REQUESTS = 10_000
/** Bytes of one read on Miniflare: some 10 ms. */
const LOCAL_PIECE_BYTES = 1024 * 1024

/** Whether this is Miniflare, which has special bindings for outbound requests. */
export function isLocal({ EGRESS }: Environment): boolean {
  return EGRESS !== undefined
}

let service: Service | undefined

/** The isolate's single service: its settings cannot change while it lives. */
export function serviceOf(environment: Environment): Service {
  if (service !== undefined) return service
  const kind = isLocal(environment) ? 'miniflare' : 'worker'
  const configuration = parseConfiguration(settings(environment), kind)
  const fetch = createFetch(environment)
  const store = isLocal(environment)
    ? new R2Store(yieldingBucket(environment.BUCKET), { pieceBytes: LOCAL_PIECE_BYTES })
    : new FactsCache(new R2Store(environment.BUCKET), {
        cache: () => caches.open('facts'),
        keepAlive: waitUntil,
      })
  const memory = new Memory()
  shareMemory(memory)
  service = {
    host: {
      configuration,
      fetch,
      store,
      jobs: new DurableJobs(environment.JOBS),
      imageQueue: new CloudflareImageQueue(environment.IMAGE_QUEUE, isLocal(environment) ? store : undefined),
      wasm: async (name) => WASM[name],
      expiry: durableExpiry(environment),
      maxRequests: MAX_REQUESTS,
    },
    client: new RegistryClient({ fetch, configuration }),
    memory,
  }
  return service
}

/** The pages' files, which are uploaded with the Worker. */
export function assetsOf(environment: Environment): Assets {
  return async (name) => {
    const answer = await environment.ASSETS.fetch(new Request(`https://assets/${encodeURIComponent(name)}`))
    return answer.status === 200 ? new Uint8Array(await answer.arrayBuffer()) : undefined
  }
}
