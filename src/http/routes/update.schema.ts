/** `/v1/update` and `/v1/updates`: the shapes of `update/`, described. */
import { z } from '@hono/zod-openapi'
import {
  digestSchema,
  int,
  pathBase64,
  platformNameSchema,
  referenceSchema,
  text,
} from '../openapi/fields.ts'
import { analysisSchema } from './analyses.schema.ts'
import { problemSchema } from './problem.schema.ts'
import { identitySchema } from './report.schema.ts'

export const layerSum = z
  .strictObject({ layers: int(), bytes: int() })
  .openapi('LayerSum', { description: 'Compressed bytes; a blob counts once.' })

const fileSum = z
  .strictObject({ files: int(), bytes: int() })
  .openapi('FileSum', { description: 'Regular files and their bytes.' })

const figures = {
  total: layerSum,
  pull: layerSum,
  chained: layerSum,
  repacked: layerSum,
  rewritten: fileSum,
  moved: fileSum,
  new: z.strictObject({
    files: int(),
    bytes: int(),
    estimatedBytes: int('Their share of the layers’ compressed bytes'),
  }),
}

export const updateSchema = z
  .strictObject({
    from: identitySchema,
    to: identitySchema,
    ...figures,
    causes: z
      .array(
        z.strictObject({
          cause: z.enum(['repacked', 'times', 'owner', 'mode', 'same', 'moved', 'archive']),
          layers: z.array(int()),
          files: int().optional(),
          bytes: int(),
          fix: text('What to change in the build'),
        }),
      )
      .openapi({ description: 'Largest first.' }),
    layers: z.array(
      z.strictObject({
        index: int(),
        digest: digestSchema,
        diffId: digestSchema,
        compressedBytes: int(),
        createdBy: text('The build step').optional(),
        state: z.enum(['shared', 'repacked', 'pulled']),
        rewritten: fileSum,
        moved: fileSum,
        new: fileSum,
      }),
    ),
    uncompressed: z
      .array(int())
      .optional()
      .openapi({ description: 'Layers that an archive or engine stores uncompressed.' }),
  })
  .openapi('Update')

const group = z.union([
  z.strictObject({ type: text(), package: text(), bytes: int(), changes: int() }),
  z.strictObject({ path: text(), pathBase64, bytes: int(), changes: int() }),
])

const planFigures = z.strictObject({ now: int(), reproducible: int(), planned: int() })

const planSchema = z
  .strictObject({
    layers: z.array(
      z.strictObject({
        order: int('What changes least is 0'),
        bytes: int(),
        changes: int(),
        groups: z.array(group),
      }),
    ),
    base: z.strictObject({ layers: int(), bytes: int() }).optional(),
    median: planFigures,
    mean: planFigures,
  })
  .openapi('Plan', {
    description:
      'How the files would have done in a few layers, by how often they change. Uncompressed bytes.',
  })

export const updateStepSchema = z.strictObject({ from: text(), to: text(), ...figures }).openapi('UpdateStep')

export const updatesSchema = z
  .strictObject({
    steps: z.array(updateStepSchema).openapi({ description: 'Oldest first.' }),
    median: z.strictObject({ pull: int(), new: int() }),
    plan: z.union([planSchema, z.strictObject({ problem: problemSchema })]),
    skipped: z
      .array(z.strictObject({ name: text(), problem: problemSchema }))
      .optional()
      .openapi({ description: 'Tags that are no image of the platform.' }),
  })
  .openapi('Updates')

export const pendingUpdatesSchema = z
  .strictObject({ items: z.array(analysisSchema) })
  .openapi('PendingUpdates', { description: 'The analyses that are not ready yet.' })

export const MAX_SERIES = 30
export const MIN_SERIES = 3
export const MIN_PLAN = 2
export const MAX_PLAN = 20
export const DEFAULT_PLAN = 5

export const updatesRequestSchema = z
  .strictObject({
    images: z
      .array(z.strictObject({ image: referenceSchema, platform: platformNameSchema.optional() }))
      .max(MAX_SERIES, `must have at most ${MAX_SERIES} images`)
      .openapi({ description: 'Oldest first, 3 to 30.' }),
    plan: z.int().min(MIN_PLAN).max(MAX_PLAN).optional(),
    baseImage: z.array(referenceSchema).max(MAX_SERIES).optional(),
  })
  .openapi('UpdatesRequest')
