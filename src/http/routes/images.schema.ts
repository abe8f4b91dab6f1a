/** `/v1/images` and `/v1/shared`: the shapes of `service/repository-images.ts` and `service/shared.ts`, described. */
import { z } from '@hono/zod-openapi'
import { digestSchema, int, nextCursor, platformNameSchema, text, time } from '../openapi/fields.ts'
import { problemSchema } from './problem.schema.ts'
import { identitySchema } from './report.schema.ts'

const name = text()

export const repositoryImageSchema = z
  .union([
    z.strictObject({
      name,
      digest: digestSchema,
      id: digestSchema,
      platform: platformNameSchema,
      created: time().optional(),
      compressedBytes: int(),
      layers: int(),
    }),
    z.strictObject({
      name,
      problem: problemSchema.openapi({
        description: 'Present if the tag has no image for this platform.',
      }),
    }),
  ])
  .openapi('RepositoryImage')

export const repositoryImagePageSchema = z
  .strictObject({
    items: z.array(repositoryImageSchema),
    nextCursor,
  })
  .openapi('RepositoryImagePage')

export const sharingSchema = z
  .strictObject({
    images: z.array(
      z.strictObject({
        image: identitySchema,
        compressedBytes: int(),
        layers: int(),
        sharedBytes: int('Also in another of these images'),
        uniqueBytes: int('In none of the others'),
        base: int('Index of the image that this one is built on').optional(),
      }),
    ),
    layers: z
      .array(
        z.strictObject({
          digest: digestSchema,
          diffId: digestSchema,
          compressedBytes: int(),
          images: z.array(int()).openapi({
            description: 'Indexes of the images that have it.',
          }),
        }),
      )
      .openapi({ description: 'Each blob once; the most shared first, then by size.' }),
    total: z.strictObject({
      compressedBytes: int(),
      storedBytes: int('Each blob once'),
    }),
  })
  .openapi('Sharing')
