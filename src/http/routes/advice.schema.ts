/** `/v1/advice`: the shapes of `advice/`, described. */
import { z } from '@hono/zod-openapi'
import { bytes, count, layerIndex, text } from '../openapi/fields.ts'
import { identitySchema, sizedPathSchema } from './report.schema.ts'

const adviceItemSchema = z
  .strictObject({
    rule: text('The rule', 'package-cache'),
    kind: text('The package manager, or another name of what the rule tells apart', 'apt').optional(),
    severity: z.enum(['error', 'warning', 'info']).openapi({
      description: '`error`: secrets; `warning`: useless bytes; `info`: bytes that may be useless.',
      example: 'warning',
    }),
    title: text('What it is about', 'The cache of apt'),
    bytes: bytes('Size of its files; hard links count once', 95345676),
    files: count('Its files; hard links count once', 11),
    layer: layerIndex('The layer that stores most of it', 1).optional(),
    byLayer: layerIndex('The layer that hides it', 5).optional(),
    createdBy: text('The build step to change', 'RUN /bin/sh -c apt-get update # buildkit').optional(),
    line: count('The line of that step in the posted `dockerfile`', 12).optional(),
    paths: z.array(sizedPathSchema).max(10).openapi({ description: 'The ten largest, largest first.' }),
    fix: text(
      'How a Dockerfile avoids it',
      'Write the RUN of layer 1 as `RUN apk add --no-cache …`, or keep the cache out of the image with `RUN --mount=type=cache,target=/var/cache/apk`.',
    ),
  })
  .openapi('AdviceItem', { description: 'Something to change.' })

export const adviceSchema = z
  .strictObject({
    image: identitySchema,
    savings: z
      .strictObject({
        bytes: bytes('What the items of severity `warning` name; each file counts once', 100391119),
        percent: z.number().openapi({ description: 'Of `size.fileBytes`.', example: 43.07968 }),
      })
      .openapi({ description: 'What the advice saves.' }),
    items: z.array(adviceItemSchema).openapi({ description: 'Largest first.' }),
  })
  .openapi('Advice', { description: 'What to change in an image, what it saves and where it was done.' })

export const adviceRequestSchema = z
  .strictObject({
    image: text('A reference as `docker pull` takes it', 'alpine:3.20'),
    platform: text('The platform as `os/arch[/variant]`', 'linux/amd64').optional(),
    read: z.enum(['full', 'toc']).optional().openapi({
      description: '`toc`: from tables of contents alone, where layers have them.',
      example: 'full',
    }),
    ignore: z
      .union([z.string(), z.array(z.string())])
      .optional()
      .openapi({ description: 'Globs of paths to leave out.', example: ['usr/share/doc/**'] }),
    baseImage: text(
      'The image that this one is built on: what its layers store is left out',
      'alpine:3.20',
    ).optional(),
    dockerfile: text(
      'The Dockerfile that the image was built from, at most 256 KiB: items then have its lines',
      'FROM alpine:3.20\nCOPY . /srv/app\n',
    ).optional(),
  })
  .openapi('AdviceRequest', { description: 'An image, and what advice about it should leave out.' })
