/** What the Worker is bound to: see `wrangler.toml` and, for `npm start`, `start.ts`. */
import sha256 from '../../dist/wasm/sha256.wasm'
import sqlite from '../../dist/wasm/sqlite.wasm'
import zstd from '../../dist/wasm/zstd.wasm'
import { parseConfiguration } from '../../src/configuration.ts'
import type { Fetch, Jobs, WasmName } from '../../src/host.ts'
import type { Job, JobState } from '../../src/job.ts'
import { jobKey } from '../../src/job.ts'
import type { Assets } from '../../src/pages/assets.ts'
import { Problem, type ProblemDocument } from '../../src/problem.ts'
import type { Service } from '../../src/service/service.ts'
import { Memory } from '../../src/service/visibility.ts'
import { RegistryClient } from '../../src/source/registry/client.ts'
import { type R2Bucket, R2Store } from './r2-store.ts'
import type { RateLimiter } from './rate.ts'

const WASM: Record<WasmName, WebAssembly.Module> = { zstd, sqlite, sha256 }

type Fetcher = { fetch(request: Request): Promise<Response> }

/** A problem does not survive a call to another object as what it is, so a start answers with it. */
export type Started = { readonly state: JobState } | { readonly problem: ProblemDocument }

type JobStub = {
  start(job: Job): Promise<Started>
  watch(key: string, version: number, milliseconds: number): Promise<JobState | undefined>
}

export type Environment = {
  readonly BUCKET: R2Bucket
  readonly ASSETS: Fetcher
  readonly JOBS: { idFromName(name: string): unknown; get(id: unknown): JobStub }
  /** Deployed: the limit of `wrangler.toml`; on Miniflare it is `LAMINA_RATE`, counted in memory. */
  readonly RATE?: RateLimiter
  /** On Miniflare: the way out to public addresses, and to those of `LAMINA_PRIVATE_REGISTRIES` as well. */
  readonly EGRESS?: Fetcher
  readonly EGRESS_PRIVATE?: Fetcher
} & { readonly [setting: string]: unknown }

/** workerd does not follow redirects by itself when told so, and refuses addresses at the socket. */
function outbound(environment: Environment): Fetch {
  const { EGRESS, EGRESS_PRIVATE } = environment
  return (url, init, reach) => {
    const request = new Request(url, { ...init, redirect: 'manual' })
    const way = reach === 'private' ? EGRESS_PRIVATE : EGRESS
    return way === undefined ? fetch(request) : way.fetch(request)
  }
}

function durableJobs(environment: Environment): Jobs {
  const object = (key: string) => environment.JOBS.get(environment.JOBS.idFromName(key))
  return {
    async start(job) {
      const started = await object(jobKey(job)).start(job)
      if ('problem' in started) throw Problem.from(started.problem)
      return started.state
    },
    watch: (key, version, milliseconds) => object(key).watch(key, version, milliseconds),
  }
}

function settings(environment: Environment): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  )
}

let service: Service | undefined

/** The isolate's one service: its settings cannot change while it lives. */
export function serviceOf(environment: Environment): Service {
  if (service !== undefined) return service
  const kind = environment.EGRESS === undefined ? 'worker' : 'miniflare'
  const configuration = parseConfiguration(settings(environment), kind)
  const fetch = outbound(environment)
  service = {
    host: {
      configuration,
      fetch,
      store: new R2Store(environment.BUCKET),
      jobs: durableJobs(environment),
      wasm: async (name) => WASM[name],
    },
    client: new RegistryClient({ fetch, configuration }),
    memory: new Memory(),
  }
  return service
}

/** The pages' files, which are uploaded beside the Worker. */
export function assetsOf(environment: Environment): Assets {
  return async (name) => {
    const answer = await environment.ASSETS.fetch(new Request(`https://assets/${encodeURIComponent(name)}`))
    return answer.status === 200 ? new Uint8Array(await answer.arrayBuffer()) : undefined
  }
}
