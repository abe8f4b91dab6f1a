/** What load balancers and monitors learn about the service. */
import { z } from '@hono/zod-openapi'

export const readinessSchema = z
  .strictObject({
    status: z.enum(['ok', 'degraded']).openapi({
      description: '`degraded`: answers what it knows, analyses nothing new.',
    }),
    redis: z.enum(['ok', 'away']).optional().openapi({
      description: 'The queue that several servers share (`REDIS_URL`).',
    }),
  })
  .openapi('Readiness')

export const healthSchema = z
  .strictObject({
    status: z.literal('ok'),
  })
  .openapi('Health')
