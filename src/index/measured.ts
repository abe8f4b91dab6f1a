/** What a layer has in other compressions, kept by its digest and the setting. */
import { z } from 'zod'
import { inParallel } from '../concurrency.ts'
import type { ObjectStore } from '../host.ts'
import type { LayerMeasurement } from '../job.ts'
import type { CompressionSetting } from '../oci/compression-setting.ts'
import { addChecksum, readChecked } from './checksummed.ts'
import { measuredKey } from './keys.ts'

const seconds = z.number().min(0)
const bytes = z.int().min(0)

const stored = z.object({
  compression: z.enum(['gzip', 'zstd', 'none']),
  uncompressedBytes: bytes,
  decompressSeconds: seconds,
  measured: z.object({ bytes, compressSeconds: seconds, decompressSeconds: seconds }),
})

/** Undefined if nothing is known; else with those of the settings that are. */
export async function readMeasured(
  store: ObjectStore,
  digest: string,
  settings: readonly CompressionSetting[],
): Promise<LayerMeasurement | undefined> {
  const found = await inParallel(settings, settings.length, async (setting) => {
    const { data } = stored.safeParse(await readChecked(store, measuredKey(digest, setting)))
    return data === undefined ? [] : [{ setting, ...data }]
  })
  const [first] = found.flat()
  if (first === undefined) return undefined
  const { compression, uncompressedBytes, decompressSeconds } = first
  const measured = Object.fromEntries(found.flat().map(({ setting, measured }) => [setting, measured]))
  return { compression, uncompressedBytes, decompressSeconds, measured }
}

export async function writeMeasured(
  store: ObjectStore,
  digest: string,
  { measured, ...layer }: LayerMeasurement,
): Promise<void> {
  for (const [setting, one] of Object.entries(measured)) {
    const key = measuredKey(digest, setting)
    await store.put(key, addChecksum(key, { ...layer, measured: one }))
  }
}
