import { z } from '@hono/zod-openapi'
import { count, layerIndex, text } from '../openapi/fields.ts'

export const problemSchema = z
  .strictObject({
    type: text('URN of the kind of problem', 'urn:lamina:problem:image_not_found'),
    title: text('The kind of problem', 'Image not found'),
    status: z.int().min(400).max(599).openapi({ description: "The answer's status code.", example: 404 }),
    detail: text('What is wrong and where', 'docker.io/library/nginx has no tag 1.999'),
    code: z.string().openapi({
      description: 'Stable code for programs.',
      example: 'image_not_found',
    }),
    image: text('The requested reference', 'nginx:1.999').optional(),
    layer: layerIndex('The layer at fault', 3).optional(),
    registryStatus: count('Status code from the registry or its token server', 404).optional(),
    parameter: text('The parameter at fault', 'maxSize').optional(),
    platforms: z
      .array(z.string())
      .optional()
      .openapi({
        description: 'For `platform_not_found`: the available platforms.',
        example: ['linux/amd64', 'linux/arm64/v8'],
      }),
  })
  .openapi('Problem', { description: 'An error (RFC 9457).' })
