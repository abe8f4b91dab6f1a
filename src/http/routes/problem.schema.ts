import { z } from '@hono/zod-openapi'
import { count, layerIndex, text } from '../openapi/fields.ts'

export const problemSchema = z
  .strictObject({
    type: text('Names the kind of problem', 'urn:lamina:problem:image_not_found'),
    title: text('The kind of problem in words', 'Image not found'),
    status: z.int().min(400).max(599).openapi({ description: "The answer's status code.", example: 404 }),
    detail: text('What is wrong and where', 'docker.io/library/nginx has no tag 1.999'),
    code: z.string().openapi({
      description: 'A stable name of the kind of problem, for programs.',
      example: 'image_not_found',
    }),
    image: text('The reference that was asked for', 'nginx:1.999').optional(),
    layer: layerIndex('The layer at fault', 3).optional(),
    registryStatus: count('The status code that the registry or its token server answered', 404).optional(),
    parameter: text('The parameter at fault', 'maxSize').optional(),
    platforms: z
      .array(z.string())
      .optional()
      .openapi({
        description: 'For `platform_not_found`: the platforms that there are.',
        example: ['linux/amd64', 'linux/arm64/v8'],
      }),
  })
  .openapi('Problem', { description: 'An error, as RFC 9457 has it.' })
