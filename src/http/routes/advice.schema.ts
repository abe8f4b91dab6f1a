/** `/v1/advice`: the shapes of `advice/`, described. */
import { z } from '@hono/zod-openapi'
import {
  dockerfileSchema,
  int,
  platformNameSchema,
  readSchema,
  referenceSchema,
  text,
} from '../openapi/fields.ts'
import { autoBaseSchema } from './check.schema.ts'
import { identitySchema, sizedPathSchema } from './report.schema.ts'

const adviceItemSchema = z
  .strictObject({
    rule: text(),
    kind: text('A subdivision of the rule, like the package manager').optional(),
    severity: z.enum(['error', 'warning', 'info']).openapi({
      description: '`error`: secrets; `warning`: useless bytes; `info`: bytes that may be useless.',
    }),
    title: text(),
    name: text('Of the variable, label or argument').optional(),
    prefix: text('How a token of a known form begins').optional(),
    bytes: int('Hard links count once'),
    files: int('Hard links count once'),
    layer: int('The layer that stores most of it').optional(),
    layers: z.array(int()).optional().openapi({ description: 'All that store it, if several.' }),
    byLayer: int('The layer that hides it').optional(),
    createdBy: text('The build step to change').optional(),
    line: int('Line of that step in the posted `dockerfile`').optional(),
    paths: z.array(sizedPathSchema).max(10),
    fix: text('How a Dockerfile avoids it'),
  })
  .openapi('AdviceItem')

export const adviceSchema = z
  .strictObject({
    image: identitySchema,
    base: autoBaseSchema.optional(),
    savings: z.strictObject({
      bytes: int('Of the items of severity `warning`; each file counts once'),
      percent: z.number().openapi({ description: 'Of `size.fileBytes`.' }),
    }),
    items: z.array(adviceItemSchema),
    baseItems: z.array(adviceItemSchema).optional().openapi({
      description: 'With `baseImage`: items whose files only the base stores or hid.',
    }),
  })
  .openapi('Advice')

export const adviceRequestSchema = z
  .strictObject({
    image: referenceSchema,
    platform: platformNameSchema.optional(),
    read: readSchema.optional(),
    ignore: z
      .union([z.string(), z.array(z.string())])
      .optional()
      .openapi({ description: 'Globs of paths to ignore.' }),
    baseImage: text('The image that this one is built on, or `auto`; its layers are ignored').optional(),
    dockerfile: dockerfileSchema.optional(),
  })
  .openapi('AdviceRequest', { description: 'An image, and what to ignore.' })
