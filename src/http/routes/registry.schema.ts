/** What a registry says of an image or a repository: `/v1/config`, `/v1/platforms`, `/v1/tags`. */
import { z } from '@hono/zod-openapi'
import { bytes, digest, nextCursor, text } from '../openapi/fields.ts'

export const configSchema = z.looseObject({}).openapi('Config', {
  description:
    'The config of an image, byte for byte as in the registry (OCI image specification, `config.md`).',
  example: {
    architecture: 'amd64',
    os: 'linux',
    created: '2026-11-24T07:50:17.956751555Z',
    config: { User: '1000:1000', Cmd: ['8080'], WorkingDir: '/srv/app', Env: ['NODE_ENV=production'] },
    rootfs: {
      type: 'layers',
      diff_ids: ['sha256:e5079b2b165d031ded169bcb0e77deec548dfc4148649507aafcbad94cc9a183'],
    },
    history: [{ created: '2026-11-24T07:50:05.319237397Z', created_by: 'ADD base.tar / # buildkit' }],
  },
})

export const platformSchema = z
  .strictObject({
    platform: text('`os/arch[/variant]`', 'linux/arm64/v8'),
    digest: digest("Digest of the image's manifest"),
    compressedBytes: bytes('Sum of the compressed layers, as a pull transfers them', 764519),
  })
  .openapi('Platform', { description: 'A platform and its image.' })

export const platformListSchema = z
  .strictObject({
    items: z
      .array(platformSchema)
      .openapi({ description: 'In the order of the index, without attestations.' }),
  })
  .openapi('PlatformList', { description: 'The platforms of a reference.' })

export const tagSchema = z
  .strictObject({ name: text('The tag', 'v1') })
  .openapi('Tag', { description: 'A tag of a repository.' })

export const tagPageSchema = z
  .strictObject({
    items: z.array(tagSchema).openapi({ description: "In the registry's order." }),
    nextCursor,
  })
  .openapi('TagPage', { description: 'A page of the tags of a repository.' })
