/** `/v1/uploads`: the shapes of `service/upload.ts`, described. */
import { z } from '@hono/zod-openapi'
import { bytes, digest, text, time } from '../openapi/fields.ts'

const ID = 'q3Jx0S1vZk2m8H5yT7uWbA'

export const uploadIdSchema = z.string().openapi({
  description: 'The id of the upload. Whoever has it sees its images.',
  example: ID,
})

const uploadedImageSchema = z
  .strictObject({
    reference: text(
      'The value of `image` for this image; add `platform` if several images share it',
      `upload:${ID}`,
    ),
    names: z.array(z.string()).openapi({
      description: 'The names that the archive gives it, without those that Docker Hub implies.',
      example: ['app:v1'],
    }),
    digest: digest(
      "Digest of the image's manifest; if the archive has no manifest, of the one that skopeo would make",
    ),
    id: digest('Digest of its config: the image ID that `docker image ls` shows'),
    platform: text('The platform as `os/arch[/variant]`', 'linux/amd64'),
  })
  .openapi('UploadedImage', { description: 'One image of an archive, for one platform.' })

export const uploadSchema = z
  .strictObject({
    id: uploadIdSchema,
    reference: text('What to ask for as `image`, where the archive has one image', `upload:${ID}`),
    bytes: bytes('Size of the body that was sent', 85421568),
    images: z.array(uploadedImageSchema).openapi({ description: 'The images in the archive.' }),
    expiresAt: time('When it expires, unless somebody uses it before', '2026-11-25T20:31:04.000Z'),
  })
  .openapi('Upload', { description: 'An archive that this service keeps for a while.' })
