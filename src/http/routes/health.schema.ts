import { z } from '@hono/zod-openapi'

export const readinessSchema = z
  .strictObject({
    status: z.enum(['ok', 'degraded']).openapi({
      description: '`degraded`: the server answers what it knows and analyses nothing new.',
      example: 'ok',
    }),
    redis: z.enum(['ok', 'away']).optional().openapi({
      description: 'Whether the queue answers, if several servers share one (`REDIS_URL`).',
      example: 'ok',
    }),
  })
  .openapi('Readiness', { description: 'Whether the service can serve.' })

export const healthSchema = z
  .strictObject({
    status: z.literal('ok').openapi({ description: 'The service works.', example: 'ok' }),
  })
  .openapi('Health', { description: 'The state of the service.' })
