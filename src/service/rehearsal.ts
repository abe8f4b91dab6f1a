/**
 * What a host does when it has just started: it analyses a small image several times, because V8 runs new code slowly. Like most
 * images it comes from a registry; its service knows no other one, and keeps everything in memory.
 */

import { yieldToEventLoop } from '../concurrency.ts'
import { parseConfiguration } from '../configuration.ts'
import type { ByteRange, Fetch, StoredObject, WasmModules } from '../host.ts'
import { Problem } from '../problem.ts'
import { RegistryClient } from '../source/registry/client.ts'
import { noBacklog } from './jobs/memory-backlog.ts'
import { runJob } from './jobs/run.ts'
import { JobRunner } from './jobs/runner.ts'
import { Memory } from './memory.ts'
import { ObjectsInMemory } from './objects-in-memory.ts'
import { REHEARSAL_REPOSITORY } from './rehearsal-image.ts'
import type { Service } from './service.ts'

/** The place of a rehearsal. */
export type Stage = {
  /** Has the image, and nothing else: `host[:port]`. */
  readonly registry: string
  /** Of the image's manifest. */
  readonly digest: string
  /** Reaches the registry. */
  readonly fetch: Fetch
  readonly wasm: WasmModules
  /** Ends the rehearsal early. */
  readonly signal: AbortSignal
}

const MEMORY_SHARE = 1 / 32

/** Like a real store it answers in a later turn of the event loop, which otherwise would be busy with the whole merge. */
class LaterObjects extends ObjectsInMemory {
  override async get(key: string, range?: ByteRange): Promise<StoredObject | undefined> {
    await yieldToEventLoop()
    return super.get(key, range)
  }
}

/** A new service, which knows nothing of the image yet. */
export function rehearsalService({ registry, fetch, wasm, signal }: Stage): Service {
  const configuration = parseConfiguration(
    { LAMINA_PRIVATE_REGISTRIES: registry, LAMINA_INSECURE_REGISTRIES: registry },
    'node',
  )
  const jobs = new JobRunner(
    (job, report, ended) =>
      runJob(service, job, report, AbortSignal.any([ended, signal])).catch((error: unknown) => {
        // Any other error would be logged.
        throw signal.aborted ? new Problem('analysis_pending', 'the rehearsal ended early') : error
      }),
    { analyses: 1, queuedAnalyses: 0, layers: 1 },
  )
  const service: Service = {
    client: new RegistryClient({ fetch, configuration }),
    memory: new Memory(MEMORY_SHARE),
    host: { configuration, fetch, store: new LaterObjects(), jobs, backlog: noBacklog, wasm },
  }
  return service
}

/** Indexes the layers of the image and merges them. @throws the signal's reason, Problem */
export async function rehearseAnalysis(stage: Stage): Promise<void> {
  const { registry, digest, signal } = stage
  const source = { kind: 'registry', registry, repository: REHEARSAL_REPOSITORY } as const
  await runJob(rehearsalService(stage), { kind: 'image', source, digest }, () => {}, signal)
}
