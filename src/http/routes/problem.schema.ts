/** The shape of every error. */
import { z } from '@hono/zod-openapi'
import { int, text } from '../openapi/fields.ts'

export const problemSchema = z
  .strictObject({
    type: text('A URN with the code'),
    title: text(),
    status: z.int().min(400).max(599),
    detail: text(),
    code: z.string(),
    image: text().optional(),
    layer: int().optional(),
    registryStatus: int('From the registry or its token server').optional(),
    parameter: text().optional(),
    platforms: z.array(z.string()).optional().openapi({
      description: 'The available platforms, for `platform_not_found`.',
    }),
  })
  .openapi('Problem', { description: 'An error (RFC 9457).' })
