/** `/v1/storage`: the shapes of `storage/`, described. */
import { z } from '@hono/zod-openapi'
import { digestSchema, int, nextCursor, text, time } from '../openapi/fields.ts'
import { problemSchema } from './problem.schema.ts'

export const storageItemSchema = z
  .union([
    z.strictObject({
      name: text(),
      digest: digestSchema,
      bytes: int('All manifests, configs and layers that the tag leads to'),
      uniqueBytes: int('What no other tag needs'),
      sharedBytes: int(),
      created: time('Of the image for linux/amd64, else of the first').optional(),
    }),
    z.strictObject({ name: text(), problem: problemSchema }),
  ])
  .openapi('StoredTag')

export const storageSchema = z
  .strictObject({
    total: z.strictObject({
      tags: int(),
      manifests: int(),
      blobs: int('Configs and layers'),
      bytes: int('Each manifest and each blob once'),
      complete: z.boolean().openapi({ description: 'Every tag could be read.' }),
    }),
    items: z.array(storageItemSchema),
    reclaim: z
      .strictObject({ tags: z.array(z.string()), manifests: int(), blobs: int(), bytes: int() })
      .optional()
      .openapi({
        description:
          'With `delete` or `keep`: the tags that go, and what that frees once the registry has collected its garbage.',
      }),
    nextCursor,
  })
  .openapi('RepositoryStorage')

export const storageProgressSchema = z
  .strictObject({ status: z.literal('running'), tags: int(), tagsDone: int() })
  .openapi('StorageProgress')
