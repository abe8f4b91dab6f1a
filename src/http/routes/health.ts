/** Whether the service is alive, and whether it can serve. */
import { createRoute, type z } from '@hono/zod-openapi'
import type { Host } from '../../host.ts'
import { Problem } from '../../problem.ts'
import { waitFor } from '../../timeout.ts'
import type { App, Backend } from '../backend.ts'
import { json, openToAll, problems } from '../openapi/describe.ts'
import { healthSchema, readinessSchema } from './health.schema.ts'

/** Asked by supervisors. */
export const HEALTH_PATHS: ReadonlySet<string> = new Set(['/healthz', '/readyz'])

const STORE_MILLISECONDS = 5000

const getHealth = createRoute({
  method: 'get',
  path: '/healthz',
  operationId: 'getHealth',
  tags: ['Service'],
  summary: 'Liveness',
  description: 'For a supervisor that restarts a hanging service.',
  security: openToAll,
  responses: { 200: json('The service answers.', healthSchema), ...problems('service') },
})

const getReadiness = createRoute({
  method: 'get',
  path: '/readyz',
  operationId: 'getReadiness',
  tags: ['Service'],
  summary: 'Readiness',
  description:
    'Checks the object store, for a load balancer. Without the shared queue the server stays ready and answers what it knows.',
  security: openToAll,
  responses: {
    200: json('The service is ready.', readinessSchema),
    ...problems('service', [503]),
  },
})

export function addHealth(app: App, { host }: Backend): void {
  app.openapi(getHealth, (c) => c.json({ status: 'ok' }, 200, { 'Cache-Control': 'no-store' }))

  app.openapi(getReadiness, async (c) => {
    await requireStore(host)
    return c.json(readiness(host), 200, { 'Cache-Control': 'no-store' })
  })
}

function readiness({ queue }: Host): z.infer<typeof readinessSchema> {
  if (queue === undefined) return { status: 'ok' }
  return queue.isAway ? { status: 'degraded', redis: 'away' } : { status: 'ok', redis: 'ok' }
}

/** @throws Problem `store_error` if the store fails, or does not answer in time */
async function requireStore({ store }: Host): Promise<void> {
  const error = () =>
    new Problem('store_error', 'the object store is not responding; try again later', { retryAfter: 5 })
  try {
    await waitFor(store.has('readyz'), { limit: { milliseconds: STORE_MILLISECONDS, error } })
  } catch {
    throw error()
  }
}
