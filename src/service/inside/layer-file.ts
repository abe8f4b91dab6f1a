/**
 * A file in a layer, read by ranges: as small a part of the layer's blob as possible. Ranges cannot be verified by the file's
 * digest, so what is made of them is kept only for the source that gave them.
 */
import type { Host } from '../../host.ts'
import type { FoundFile } from '../../image/lookup.ts'
import type { FileContent } from '../../inside/ranges.ts'
import { isStoredPlainly, type RangePart, readMemberRange } from '../../layer/member.ts'
import type { OpenedImage } from '../../open/open-image.ts'
import { blobOpener } from '../../open/open-source.ts'
import { Problem } from '../../problem.ts'
import { streamRange } from '../../text/bytes.ts'
import { openContent, partOf } from '../images/content.ts'
import { layerIndexOf } from '../images/image-tables.ts'
import { piecewise } from './pieces.ts'

export async function openLayerFile(
  host: Host,
  image: OpenedImage,
  file: FoundFile,
  signal: AbortSignal,
): Promise<FileContent> {
  const { configuration, store, wasm } = host
  const descriptor = image.manifest.layers[file.layer]
  if (descriptor === undefined)
    throw new Problem('internal_error', 'the index refers to a layer that does not exist')
  const index = await layerIndexOf(image, file.layer)
  const open = blobOpener(image.source, descriptor)
  const { limits } = configuration
  const partAt = async (offset: number, bytes: number): Promise<RangePart | undefined> => {
    const part = await partOf(store, index, { offset: file.offset + offset, bytes })
    return part === undefined || part.from === 'chunks' ? undefined : part
  }
  const whole = index === descriptor.digest ? await partAt(0, file.bytes) : undefined
  const isRanged =
    whole !== undefined && (whole.from !== 'tar' || (await isStoredPlainly(open, file.offset, file.bytes)))
  return piecewise(file.bytes, async function* (offset, bytes) {
    signal.throwIfAborted()
    const isWhole = offset === 0 && bytes === file.bytes
    if (index !== descriptor.digest || isWhole) {
      yield* streamRange(await openContent(host, image, file), offset, bytes)
      return
    }
    const options = { offset: file.offset + offset, bytes, member: file.offset, limits, wasm, signal }
    yield* readMemberRange(open, options, isRanged ? await partAt(offset, bytes) : undefined)
  })
}
