/** The ports on Node, made from the settings; the main thread and each layer thread have their own. */

import { isMainThread } from 'node:worker_threads'
import type { Configuration } from '../../src/configuration.ts'
import type { Engine, ImageQueue, Jobs, ObjectStore } from '../../src/host.ts'
import { noImageQueue } from '../../src/jobs/memory-image-queue.ts'
import { Memory } from '../../src/open/caches.ts'
import type { Service } from '../../src/open/service.ts'
import { RegistryClient } from '../../src/source/registry/client.ts'
import { compiledWasm } from '../wasm.ts'
import { DockerEngine } from './engine/engine.ts'
import { engineFiles } from './engine/engine-files.ts'
import { localImages } from './engine/local-images.ts'
import { createFetch } from './fetch.ts'
import { FolderStore } from './store/folder-store.ts'
import { MeteredStore, type StoreOperation } from './store/metered-store.ts'

/** The S3 client is large, and loaded only if needed: each layer thread starts with this. */
export async function openStore({ s3, data }: Configuration): Promise<ObjectStore> {
  if (s3 === undefined) return new FolderStore(data)
  const { S3Store } = await import('./store/s3-store.ts')
  return new S3Store(s3)
}

/** A thread's heap is for its task, and the thread that answers HTTP remembers most of what it asks. */
const THREAD_SHARE = 1 / 4

function engineOf({ dockerHost, dockerCertificates }: Configuration): { readonly engine?: Engine } {
  if (dockerHost === undefined) return {}
  const files = new FolderStore(engineFiles())
  return { engine: new DockerEngine(dockerHost, { files, certificates: dockerCertificates }) }
}

/**
 * @param count called for each operation on the store as it begins
 * @param imageQueue only the thread that answers HTTP takes images
 */
export async function createService(
  configuration: Configuration,
  jobs: Jobs,
  count: (operation: StoreOperation) => void,
  imageQueue: ImageQueue = noImageQueue,
): Promise<Service> {
  const fetch = createFetch(configuration)
  const store = new MeteredStore(await openStore(configuration), count)
  const wasm = compiledWasm()
  const { maxUploadBytes, limits } = configuration
  return {
    host: {
      configuration,
      fetch,
      store,
      jobs,
      imageQueue,
      wasm,
      keepsMeasurements: true,
      ...engineOf(configuration),
    },
    client: new RegistryClient({ fetch, configuration }),
    memory: new Memory(isMainThread ? 1 : THREAD_SHARE),
    localImages: localImages({ wasm, maxBytes: maxUploadBytes, zstdWindow: limits.zstdWindow }),
  }
}
