/** `/v1/waste` and `/v1/duplicates`. */
import { z } from '@hono/zod-openapi'
import { int, pageOf, pathBase64, sha256Schema, text } from '../openapi/fields.ts'
import { wasteReasonSchema } from './report.schema.ts'

export const wastedFileSchema = z
  .strictObject({
    path: text(),
    pathBase64,
    bytes: int(),
    layer: int(),
    reason: wasteReasonSchema,
    byLayer: int(),
    whose: z.enum(['base', 'own']).optional().openapi({
      description: 'With `baseImage`: whose layer hid it.',
    }),
  })
  .openapi('WastedFile', {
    description: 'A file that a layer stores and a later one hides.',
  })

export const wastePageSchema = pageOf('WastePage', wastedFileSchema)

export const duplicateGroupSchema = z
  .strictObject({
    sha256: sha256Schema,
    bytes: int('Of one copy'),
    count: int(),
    wastedBytes: int('What keeping one copy would save'),
    paths: z
      .array(z.strictObject({ path: text(), pathBase64 }))
      .openapi({ description: 'The first 50, by path.' }),
  })
  .openapi('DuplicateGroup')

export const duplicatePageSchema = pageOf('DuplicatePage', duplicateGroupSchema)
