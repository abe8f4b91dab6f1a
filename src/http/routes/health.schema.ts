import { z } from '@hono/zod-openapi'

export const healthSchema = z
  .strictObject({
    status: z.literal('ok').openapi({ description: 'All is well.', example: 'ok' }),
  })
  .openapi('Health', { description: 'That the service answers.' })
