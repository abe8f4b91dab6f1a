/** `/v1/attached`: the shape of `attached/items.ts`, described. */
import { z } from '@hono/zod-openapi'
import { SOURCES } from '../../attached/items.ts'
import { KINDS } from '../../attached/kinds.ts'
import { digest, digestSchema, int, nextCursor, platformNameSchema, text, time } from '../openapi/fields.ts'
import { identitySchema } from './report.schema.ts'

const sourceSchema = z.enum(SOURCES).openapi('AttachedSource', {
  description:
    '`index`: an attestation manifest of the index; `referrers`: the referrers API; `tag`: its fallback tag, or one of cosign.',
})

export const attachedItemSchema = z
  .strictObject({
    kind: z.enum(KINDS),
    source: sourceSchema,
    artifactType: text().optional(),
    predicateType: text().optional(),
    mediaType: text(),
    digest: digestSchema,
    bytes: int(),
    created: time().optional(),
    platform: platformNameSchema.optional(),
    annotations: z.record(z.string(), z.string()).optional().openapi({
      description: 'Without values of more than 1,024 characters, and at most 16 KiB.',
    }),
    manifest: digest('Of the manifest that is attached'),
    subject: digest('Of the manifest or index that it is attached to'),
  })
  .openapi('AttachedItem')

export const attachedSchema = z
  .strictObject({
    image: identitySchema,
    subjects: z.array(digestSchema).openapi({
      description: "The platform's manifest, and the index if the reference led through one.",
    }),
    items: z.array(attachedItemSchema),
    complete: z.boolean().openapi({ description: '`false`: more may be attached.' }),
    problems: z
      .array(z.strictObject({ source: sourceSchema, code: text(), detail: text() }))
      .optional()
      .openapi({ description: 'Why the list is incomplete: the first problem of each source.' }),
    verified: z.literal(false).openapi({ description: 'No signature is checked.' }),
    nextCursor,
  })
  .openapi('Attached')
