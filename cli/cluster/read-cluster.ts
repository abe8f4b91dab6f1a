/** `lamina cluster`: the images that the objects on stdin or in a file use, from their manifests alone. */
import type { ApiCaller } from '../ask.ts'
import { Failure } from '../failure.ts'
import type { Request } from '../program.ts'
import { readDocuments } from './documents.ts'
import { findImages, referencesOf } from './find-images.ts'
import { type Cluster, summarise } from './summary.ts'
import { inventoryOf } from './uses.ts'

/**
 * @param callerOf whoever asks, with credentials for these references
 * @throws Failure for input that cannot be read, too many images, a service that does not answer
 */
export async function readCluster(
  { parameters }: Request,
  callerOf: (references: readonly string[]) => Promise<ApiCaller>,
): Promise<Cluster> {
  const [file] = parameters.get('file') ?? []
  if (file === undefined && process.stdin.isTTY)
    throw new Failure('usage', 'name a file, or pipe: kubectl get pods -A -o json | lamina cluster')
  const inventory = inventoryOf(await readDocuments(file ?? '-'))
  const caller = await callerOf(referencesOf(inventory.used))
  const find = await findImages(caller, inventory.used, parameters.get('platform')?.[0])
  return summarise(inventory, find)
}
