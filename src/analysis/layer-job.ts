/** One layer, from its registry into the index. */
import { createHash } from 'node:crypto'
import { indexLayer, readLayerFacts } from '../index/layer-index.ts'
import { readLayer } from '../layer/read.ts'
import { Problem } from '../problem.ts'
import { Access } from './access.ts'
import type { LayerJob, Progress } from './job.ts'
import type { Service } from './open.ts'

/**
 * Reads the blob whole, whoever indexed it before: only verified bytes make this registry one of its sources. Where the
 * index is there already its bytes need not be decoded again.
 */
export async function runLayerJob(
  service: Service,
  job: LayerJob,
  report: (progress: Progress) => void,
): Promise<void> {
  const { host } = service
  const { descriptor } = job
  const access = new Access(service, job, job.credential)
  const onBytes = (bytesDone: number) =>
    report({ layers: 1, layersDone: 0, layersReused: 0, bytes: descriptor.size, bytesDone })
  const blob = await access.blob(descriptor)
  if ((await readLayerFacts(host.store, descriptor.digest)) === undefined) {
    const limits = host.configuration.limits
    await indexLayer(host.store, (database) =>
      readLayer(blob, { descriptor, limits, wasm: host.wasm, onBytes, database }),
    )
  } else {
    await verify(blob, descriptor.digest, onBytes)
  }
  await access.gave(descriptor.digest)
}

async function verify(
  blob: ReadableStream<Uint8Array>,
  digest: string,
  onBytes: (bytes: number) => void,
): Promise<void> {
  const hash = createHash('sha256')
  let bytes = 0
  for await (const chunk of blob) {
    hash.update(chunk)
    bytes += chunk.byteLength
    onBytes(bytes)
  }
  const got = `sha256:${hash.digest('hex')}`
  if (got !== digest) throw new Problem('invalid_image', `the registry gave bytes of ${got} for ${digest}`)
}
