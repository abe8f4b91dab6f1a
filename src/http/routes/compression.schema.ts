/** `/v1/compression`: the shape of `service/images/compression.ts`, described. */
import { z } from '@hono/zod-openapi'
import { int, text } from '../openapi/fields.ts'

const seconds = z.number().min(0).openapi({ description: 'Of CPU time on this service.' })

const measured = { bytes: int(), compressSeconds: seconds, decompressSeconds: seconds }

const sizes = { compressedBytes: int(), uncompressedBytes: int(), decompressSeconds: seconds }

const bySetting = 'By setting, in the order asked: `zstd:3`.'

export const compressedLayerSchema = z
  .strictObject({
    index: int(),
    digest: text(),
    compression: z.enum(['gzip', 'zstd', 'none']).openapi({ description: 'As it is stored.' }),
    ...sizes,
    measured: z.record(z.string(), z.strictObject(measured)).openapi({ description: bySetting }),
  })
  .openapi('CompressedLayer')

export const compressionSchema = z
  .strictObject({
    layers: z.array(compressedLayerSchema),
    total: z
      .strictObject({
        layers: int(),
        ...sizes,
        measured: z
          .record(
            z.string(),
            z.strictObject({
              ...measured,
              saved: z.int().openapi({ description: 'Negative if the layers grow.' }),
            }),
          )
          .openapi({ description: bySetting }),
      })
      .openapi({ description: 'Of these layers, a blob once.' }),
  })
  .openapi('Compression')

export const compressionProgressSchema = z
  .strictObject({ status: z.literal('running'), layers: int(), layersDone: int() })
  .openapi('CompressionProgress')
