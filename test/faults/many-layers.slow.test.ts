/** Who asks about an image that lists a layer a thousand times does not stop the others: the Worker answers them meanwhile. */
import { beforeAll, expect, it } from 'vitest'
import { FixtureRegistry } from '../registry/fixture.ts'
import { answersUntil } from '../support/health.ts'
import { makeImage, makeLayer } from '../support/images.ts'
import { startService, type TestService } from '../support/service.ts'

const LAYERS = 1_024
/** Some 80 come; 5 did while the layer's table was fetched and opened for each time that it is listed. */
const LEAST_ANSWERS = 20

let service: TestService
let image: string

beforeAll(async () => {
  const registry = await FixtureRegistry.start()
  service = await startService('worker')
  const layer = await makeLayer([{ name: 'a', content: 'a' }])
  image = registry.push('tall', 'v1', makeImage(new Array(LAYERS).fill(layer)))
  return () => Promise.all([service.stop(), registry.close()])
})

it('its report', async () => {
  const query = new URLSearchParams({ image, wait: '60' })
  const asked = fetch(`${service.url}/v1/report?${query}`)
  const { answer, answers } = await answersUntil(service.url, asked)
  expect(answer.status).toBe(200)
  expect(answers).toBeGreaterThanOrEqual(LEAST_ANSWERS)
})
