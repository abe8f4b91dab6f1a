/** What a caller sends to start analyses, and what they look like while they run and after. */
import { z } from '@hono/zod-openapi'
import {
  digestSchema,
  int,
  platformNameSchema,
  readSchema,
  referenceSchema,
  text,
  time,
} from '../openapi/fields.ts'
import { problemSchema } from './problem.schema.ts'

const asked = z.strictObject({
  image: referenceSchema,
  platform: platformNameSchema.optional(),
})

export const analysisRequestSchema = asked
  .extend({
    read: readSchema.optional(),
  })
  .openapi('AnalysisRequest')

const MAX_BATCH = 1_000

export const batchRequestSchema = z
  .strictObject({
    images: z
      .array(asked.openapi('BatchedImage'))
      .min(1, 'must have at least one image')
      .max(MAX_BATCH, `must have at most ${MAX_BATCH} images`)
      .openapi({ description: 'At most 1,000.' }),
  })
  .openapi('BatchRequest')

export const progressSchema = z
  .strictObject({
    layers: int(),
    layersDone: int(),
    layersReused: int('Was indexed already'),
    bytes: int('Compressed bytes to read, without reused layers'),
    bytesDone: int(),
    reading: z
      .array(z.strictObject({ layer: int(), bytes: int(), bytesDone: int() }))
      .optional()
      .openapi({ description: 'Layers being read, with their compressed bytes.' }),
    waiting: z
      .array(int())
      .optional()
      .openapi({ description: 'Layers not begun; those in neither list are done.' }),
  })
  .openapi('Progress')

const link = (when: { readonly description?: string } = {}) =>
  z.string().openapi({ ...when, format: 'uri-reference' })

export const analysisSchema = z
  .strictObject({
    id: z.uuid().openapi({
      description: 'Unguessable; valid for an hour.',
    }),
    image: text(),
    platform: platformNameSchema,
    digest: digestSchema,
    status: z.enum(['queued', 'running', 'succeeded', 'failed']),
    createdAt: time(),
    finishedAt: time().optional(),
    progress: progressSchema,
    error: problemSchema.optional(),
    links: z.strictObject({
      self: link(),
      events: link(),
      report: link({ description: 'Present after success.' }),
      files: link({ description: 'Present after success.' }),
    }),
  })
  .openapi('Analysis')

export const batchSchema = z
  .strictObject({
    items: z.array(z.union([analysisSchema, problemSchema])).openapi({
      description: 'In the order of the request; a problem where no analysis started.',
    }),
  })
  .openapi('Batch')
