import { z } from '@hono/zod-openapi'

export const healthSchema = z
  .strictObject({
    status: z.literal('ok').openapi({ description: 'The service works.', example: 'ok' }),
  })
  .openapi('Health', { description: 'The state of the service.' })
