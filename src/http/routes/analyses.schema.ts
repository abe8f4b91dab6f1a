import { z } from '@hono/zod-openapi'
import { bytes, count, digest, text, time } from '../openapi/fields.ts'
import { problemSchema } from './problem.schema.ts'

export const analysisRequestSchema = z
  .strictObject({
    image: text('A reference as `docker pull` takes it', 'alpine:3.20'),
    platform: text('The platform as `os/arch[/variant]`; `linux/amd64` by default', 'linux/arm64').optional(),
  })
  .openapi('AnalysisRequest', { description: 'Which image to analyse.' })

export const progressSchema = z
  .strictObject({
    layers: count('Layers of the image', 8),
    layersDone: count('Layers that are indexed', 5),
    layersReused: count('Layers that were indexed before', 2),
    bytes: bytes('Compressed bytes to read; a layer that is reused costs none', 47927),
    bytesDone: bytes('Those that were read', 20480),
  })
  .openapi('Progress', { description: 'How far an analysis is.' })

const link = (description: string, example: string) =>
  z.string().openapi({ description: `${description}.`, format: 'uri-reference', example })

export const analysisSchema = z
  .strictObject({
    id: z.uuid().openapi({
      description: 'Its name, which cannot be guessed; known for an hour.',
      example: '0f6a1c9e-59d2-4c0f-8e43-2f5f7a3f9d11',
    }),
    image: text('What was asked for, with its defaults filled in', 'localhost:5000/app:v1'),
    platform: text('The platform as `os/arch[/variant]`', 'linux/amd64'),
    digest: digest(
      "Digest of the image's manifest",
      'sha256:e8269cae2af99353ee411e4f231684203c0df04750ae6830f8b34605332e0468',
    ),
    status: z
      .enum(['queued', 'running', 'succeeded', 'failed'])
      .openapi({ description: 'How it stands.', example: 'running' }),
    createdAt: time('When it was asked for', '2026-11-24T08:00:00.000Z'),
    finishedAt: time('When it succeeded or failed', '2026-11-24T08:00:03.120Z').optional(),
    progress: progressSchema,
    error: problemSchema.optional().openapi({ description: 'Why it failed.' }),
    links: z
      .strictObject({
        self: link('This analysis', '/v1/analyses/0f6a1c9e-59d2-4c0f-8e43-2f5f7a3f9d11'),
        events: link('Its events as they come', '/v1/analyses/0f6a1c9e-59d2-4c0f-8e43-2f5f7a3f9d11/events'),
        report: link(
          'The report, once it succeeded',
          '/v1/report?image=localhost%3A5000%2Fapp%3Av1&platform=linux%2Famd64',
        ),
        files: link(
          'The files, once it succeeded',
          '/v1/files?image=localhost%3A5000%2Fapp%3Av1&platform=linux%2Famd64',
        ),
      })
      .openapi({ description: 'Where to go from here, relative to the service.' }),
  })
  .openapi('Analysis', { description: 'An analysis of an image, running or done.' })
