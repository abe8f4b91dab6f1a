import { OpenAPIHono } from '@hono/zod-openapi'
import { expect, it } from 'vitest'
import type { Env } from '../../src/http/backend.ts'
import { routeLabels } from './routes.ts'

it('labels every route of the app, and nothing that a caller chooses', () => {
  const app = new OpenAPIHono<Env>()
  for (const path of ['/', '/v1/new', '/v1/analyses/:id', '/v1/analyses/:id/events', '/badge/:file']) {
    app.get(path, (c) => c.text(''))
  }
  app.use('/v1/*', (_, next) => next())
  const labelOf = routeLabels(app)
  expect(labelOf('/')).toBe('/')
  expect(labelOf('/v1/new')).toBe('/v1/new')
  expect(labelOf('/v1/analyses/1234')).toBe('/v1/analyses/{id}')
  expect(labelOf('/v1/analyses/1234/events')).toBe('/v1/analyses/{id}/events')
  expect(labelOf('/badge/size.json')).toBe('/badge/{metric}.json')
  expect(labelOf('/badge/size.svg')).toBe('/badge/{metric}.svg')
  for (const path of ['/v1/*', '/v1/made-up', '/badge/a/b', '']) expect(labelOf(path)).toBe('other')
})
