/** `/v1/images` and `/v1/shared`: the shapes of `service/repository-images.ts` and `service/shared.ts`, described. */
import { z } from '@hono/zod-openapi'
import { bytes, count, digest, nextCursor, text, time } from '../openapi/fields.ts'
import { problemSchema } from './problem.schema.ts'
import { identitySchema } from './report.schema.ts'

const name = text('The tag', 'v1.2.0')

export const repositoryImageSchema = z
  .union([
    z.strictObject({
      name,
      digest: digest("Digest of the image's manifest"),
      id: digest('Digest of the config, which `docker image ls` shows as the image ID'),
      platform: text('`os/arch[/variant]`', 'linux/amd64'),
      created: time('Build time, from the config', '2026-11-24T07:50:17.956751555Z').optional(),
      compressedBytes: bytes('Sum of the compressed layers, as a pull transfers them', 85391353),
      layers: count('Number of layers', 8),
    }),
    z.strictObject({
      name,
      problem: problemSchema.openapi({
        description: 'The problem, if the tag has no image for this platform.',
      }),
    }),
  ])
  .openapi('RepositoryImage', { description: 'A tag and its image, or the problem with it.' })

export const repositoryImagePageSchema = z
  .strictObject({
    items: z.array(repositoryImageSchema).openapi({ description: 'In the order of `sort`.' }),
    nextCursor,
  })
  .openapi('RepositoryImagePage', {
    description:
      "A page of a repository's images. The registry's rate limit can make it shorter than `limit`.",
  })

const place = (description: string, example: number) =>
  z
    .int()
    .nonnegative()
    .openapi({ description: `${description}.`, example })

export const sharingSchema = z
  .strictObject({
    images: z
      .array(
        z.strictObject({
          image: identitySchema,
          compressedBytes: bytes(
            'Sum of the compressed layers, as a pull of this image alone transfers them',
            85391353,
          ),
          sharedBytes: bytes('The part that another of the images has as well', 48230144),
          uniqueBytes: bytes('The part that only this image has; a blob counts once', 37161209),
          base: place('Index of the image that this one is built on, from 0', 0).optional(),
        }),
      )
      .openapi({ description: 'In the order of the request.' }),
    layers: z
      .array(
        z.strictObject({
          digest: digest('Digest of the blob'),
          diffId: digest('Digest of the uncompressed tar'),
          compressedBytes: bytes('Size of the blob', 48230144),
          images: z.array(place('Place of an image that has it', 0)).openapi({
            description: 'Indexes of the images that have it.',
            example: [0, 1],
          }),
        }),
      )
      .openapi({ description: 'Each blob once; those of most images first, then larger ones.' }),
    total: z
      .strictObject({
        compressedBytes: bytes('Sum over the images', 133621497),
        storedBytes: bytes('Each blob once, as a registry or a node keeps them', 85391353),
      })
      .openapi({ description: 'All images together.' }),
  })
  .openapi('Sharing', { description: 'What images share.' })
