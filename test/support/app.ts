/** The service in this process with its store in memory, for tests of the HTTP layer. */

import { parseConfiguration } from '../../src/configuration.ts'
import type { ObjectStore } from '../../src/host.ts'
import { createApp, type Parts } from '../../src/http/app.ts'
import { MemoryImageQueue } from '../../src/jobs/memory-image-queue.ts'
import { runJob } from '../../src/jobs/run-job.ts'
import { JobRunner } from '../../src/jobs/runner.ts'
import { Memory } from '../../src/open/caches.ts'
import type { Service } from '../../src/open/service.ts'
import { giveUpQueuedImage, runQueuedImage } from '../../src/service/fleet/queued-images.ts'
import { type ClientOptions, RegistryClient } from '../../src/source/registry/client.ts'
import { createFetch } from '../../workers/node/fetch.ts'
import { compiledWasm } from '../../workers/wasm.ts'
import { MemoryStore } from './memory-store.ts'

export type TestApp = {
  readonly store: MemoryStore
} & AskedApp

export type AskedApp = {
  readonly service: Service
  /** Like `fetch`, for a service at `http://localhost`. */
  ask(path: string, init?: RequestInit): Promise<Response>
}

/** How the registry client differs from the service's. */
export type TestParts = Parts & { readonly client?: ClientOptions }

/** Loopback registries are allowed over plain http, unless `settings` say otherwise. */
export function startApp(settings: Readonly<Record<string, string>> = {}, parts: TestParts = {}): TestApp {
  const store = new MemoryStore()
  return { store, ...startAppOn(store, settings, parts) }
}

/** The same on a given store. */
export function startAppOn(
  store: ObjectStore,
  settings: Readonly<Record<string, string>> = {},
  parts: TestParts = {},
): AskedApp {
  const configuration = parseConfiguration(
    { LAMINA_PRIVATE_REGISTRIES: '127.0.0.0/8', LAMINA_INSECURE_REGISTRIES: '127.0.0.0/8', ...settings },
    'node',
  )
  const fetch = createFetch(configuration)
  const jobs = new JobRunner((job, report, signal) => runJob(service, job, report, signal), {
    analyses: 4,
    queuedAnalyses: 10,
    layers: 2,
  })
  const imageQueue = new MemoryImageQueue(
    {
      run: (queued, attempt) => runQueuedImage(service, queued, attempt),
      giveUp: (queued, problem) => giveUpQueuedImage(service, queued, problem),
    },
    { atOnce: 2 },
  )
  const service: Service = {
    host: { configuration, fetch, store, jobs, imageQueue, wasm: compiledWasm() },
    client: new RegistryClient({ fetch, configuration, ...parts.client }),
    memory: new Memory(),
  }
  const app = createApp(service, parts)
  return { service, ask: async (path, init) => app.request(path, init) }
}
