/** `/v1/uploads`: the shapes of `service/upload.ts`, described. */
import { z } from '@hono/zod-openapi'
import { digest, digestSchema, int, platformNameSchema, text, time } from '../openapi/fields.ts'

export const uploadIdSchema = z.string().openapi({
  description: 'The id of the upload. Whoever has it can see its images.',
})

const uploadedImageSchema = z
  .strictObject({
    reference: text('The value for `image`; add `platform` if several share it'),
    names: z.array(z.string()).openapi({
      description: 'As in the archive, without Docker Hub’s defaults.',
    }),
    digest: digest('Of the manifest; if the archive has none, of the one skopeo would make'),
    id: digestSchema,
    platform: platformNameSchema,
  })
  .openapi('UploadedImage')

export const uploadSchema = z
  .strictObject({
    id: uploadIdSchema,
    reference: text('The value for `image`, if the archive has one'),
    bytes: int('Size of the request body'),
    images: z.array(uploadedImageSchema),
    expiresAt: time('Each use extends it'),
  })
  .openapi('Upload', { description: 'An archive that this service keeps for a while.' })

const partBytes = int('Size of each part, except the last')
const openExpiresAt = time('Each part extends it')

export const beginningUploadSchema = z
  .strictObject({ id: uploadIdSchema, partBytes, expiresAt: openExpiresAt })
  .openapi('BeginningUpload', { description: 'An upload in parts, of which none has arrived.' })

export const openUploadSchema = z
  .strictObject({
    id: uploadIdSchema,
    partBytes,
    parts: z.array(z.number().int()).openapi({ description: 'The numbers of the parts that have arrived.' }),
    expiresAt: openExpiresAt,
  })
  .openapi('OpenUpload', { description: 'An upload in parts that is not complete.' })
