/** Measures one layer in other compressions, and keeps what it finds. */
import { readMeasured, writeMeasured } from '../index/measured.ts'
import type { CompressionJob, LayerMeasurement } from '../job.ts'
import { measureLayer } from '../layer/encode/measure.ts'
import { openSource } from '../open/open-source.ts'
import type { Service } from '../open/service.ts'

export type CompressionRun = {
  readonly signal: AbortSignal
  /** Called with the uncompressed bytes so far. */
  readonly onBytes: (bytes: number) => void
}

/**
 * What is kept of another source's layer does not make this one its source: the blob is read and verified all the same.
 *
 * @throws Problem `invalid_image`, `too_large`, and what the source fails with
 */
export async function runCompressionJob(
  service: Service,
  { source: ref, descriptor, settings }: CompressionJob,
  { signal, onBytes }: CompressionRun,
): Promise<LayerMeasurement> {
  const { store, wasm, configuration } = service.host
  const { digest } = descriptor
  const source = openSource(service, ref, signal)
  const known = await readMeasured(store, digest, settings)
  const missing = settings.filter((setting) => known?.measured[setting] === undefined)
  if (known !== undefined && missing.length === 0 && (await source.visibility.maySee(digest, 'layer')))
    return known
  const found = await measureLayer(await source.blob(descriptor), {
    descriptor,
    settings: missing,
    limits: configuration.limits,
    wasm,
    signal,
    onBytes,
  })
  await writeMeasured(store, digest, found)
  await source.visibility.recordOrigin(digest, 'layer')
  return { ...found, measured: { ...known?.measured, ...found.measured } }
}
