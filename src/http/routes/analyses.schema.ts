import { z } from '@hono/zod-openapi'
import { bytes, count, digest, text, time } from '../openapi/fields.ts'
import { problemSchema } from './problem.schema.ts'

const asked = z.strictObject({
  image: text('An image reference as for `docker pull`', 'alpine:3.20'),
  platform: text('`os/arch[/variant]`, `linux/amd64` by default', 'linux/arm64').optional(),
})

export const analysisRequestSchema = asked
  .extend({
    read: z.enum(['full', 'toc']).optional().openapi({
      description: '`toc`: from tables of contents alone, where layers have them.',
      example: 'full',
    }),
  })
  .openapi('AnalysisRequest', { description: 'The image to analyse.' })

const MAX_BATCH = 1_000

export const batchRequestSchema = z
  .strictObject({
    images: z
      .array(asked.openapi('BatchedImage', { description: 'An image to analyse.' }))
      .min(1, 'must have at least one image')
      .max(MAX_BATCH, `must have at most ${MAX_BATCH} images`)
      .openapi({ description: 'The images, 1 to 1,000.' }),
  })
  .openapi('BatchRequest', { description: 'The images to analyse.' })

export const progressSchema = z
  .strictObject({
    layers: count('Layers of the image', 8),
    layersDone: count('Layers indexed so far', 5),
    layersReused: count('Layers that were already indexed', 2),
    bytes: bytes('Compressed bytes to read; reused layers are not read', 47927),
    bytesDone: bytes('Bytes read so far', 20480),
  })
  .openapi('Progress', { description: 'Progress of an analysis.' })

const link = (description: string, example: string) =>
  z.string().openapi({ description: `${description}.`, format: 'uri-reference', example })

export const analysisSchema = z
  .strictObject({
    id: z.uuid().openapi({
      description: 'An unguessable ID, valid for an hour.',
      example: '0f6a1c9e-59d2-4c0f-8e43-2f5f7a3f9d11',
    }),
    image: text('The reference of the request with its defaults filled in', 'localhost:5000/app:v1'),
    platform: text('`os/arch[/variant]`', 'linux/amd64'),
    digest: digest("Digest of the image's manifest"),
    status: z
      .enum(['queued', 'running', 'succeeded', 'failed'])
      .openapi({ description: 'Status.', example: 'running' }),
    createdAt: time('Time of the request', '2026-11-24T08:00:00.000Z'),
    finishedAt: time('Time when it ended', '2026-11-24T08:00:03.120Z').optional(),
    progress: progressSchema,
    error: problemSchema.optional().openapi({ description: 'Why it failed.' }),
    links: z
      .strictObject({
        self: link('This analysis', '/v1/analyses/0f6a1c9e-59d2-4c0f-8e43-2f5f7a3f9d11'),
        events: link('Its events', '/v1/analyses/0f6a1c9e-59d2-4c0f-8e43-2f5f7a3f9d11/events'),
        report: link(
          'The report, after success',
          '/v1/report?image=localhost%3A5000%2Fapp%3Av1&platform=linux%2Famd64',
        ),
        files: link(
          'The files, after success',
          '/v1/files?image=localhost%3A5000%2Fapp%3Av1&platform=linux%2Famd64',
        ),
      })
      .openapi({ description: 'Related resources, as relative URLs.' }),
  })
  .openapi('Analysis', { description: 'The analysis of an image.' })

export const batchSchema = z
  .strictObject({
    items: z.array(z.union([analysisSchema, problemSchema])).openapi({
      description: 'In the order of the request: an analysis, or the problem that prevented it.',
    }),
  })
  .openapi('Batch', { description: 'The analyses of a list of images.' })
