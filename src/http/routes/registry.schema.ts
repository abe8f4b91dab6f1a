/** What a registry says about an image or a repository: `/v1/config`, `/v1/platforms`, `/v1/tags`. */
import { z } from '@hono/zod-openapi'
import { digestSchema, int, nextCursor, platformNameSchema, text } from '../openapi/fields.ts'

export const configSchema = z.looseObject({}).openapi('Config', {
  description: 'A config as the OCI image specification defines it.',
})

export const platformSchema = z
  .strictObject({
    platform: platformNameSchema,
    digest: digestSchema,
    compressedBytes: int(),
  })
  .openapi('Platform')

export const platformListSchema = z
  .strictObject({
    items: z.array(platformSchema).openapi({ description: 'In the order of the index.' }),
  })
  .openapi('PlatformList')

export const tagSchema = z.strictObject({ name: text() }).openapi('Tag')

export const tagPageSchema = z
  .strictObject({
    items: z.array(tagSchema),
    nextCursor,
  })
  .openapi('TagPage')
