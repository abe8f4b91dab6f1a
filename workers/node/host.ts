/** The ports on Node, made from the settings; the main thread and each layer thread have their own. */
import { Memory } from '../../src/analysis/access.ts'
import type { Service } from '../../src/analysis/open.ts'
import type { Configuration } from '../../src/configuration.ts'
import type { Jobs, ObjectStore } from '../../src/host.ts'
import { RegistryClient } from '../../src/registry/client.ts'
import { compiledWasm } from '../wasm.ts'
import { createFetch } from './fetch.ts'
import { FolderStore } from './folder-store.ts'
import { MeteredStore, type StoreOperation } from './metered-store.ts'
import { S3Store } from './s3-store.ts'

function openStore(configuration: Configuration): ObjectStore {
  return configuration.s3 === undefined ? new FolderStore(configuration.data) : new S3Store(configuration.s3)
}

/** @param count told of each operation on the store as it begins */
export function createService(
  configuration: Configuration,
  jobs: Jobs,
  count: (operation: StoreOperation) => void,
): Service {
  const fetch = createFetch(configuration)
  const store = new MeteredStore(openStore(configuration), count)
  return {
    host: { configuration, fetch, store, jobs, wasm: compiledWasm() },
    client: new RegistryClient({ fetch, configuration }),
    memory: new Memory(),
  }
}
