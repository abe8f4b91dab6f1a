import { expect, it, onTestFinished } from 'vitest'
import { FixtureRegistry } from '../../test/registry/fixture.ts'
import { startApp } from '../../test/support/app.ts'
import { makeImage, makeLayer } from '../../test/support/images.ts'

it('a kept answer takes no more memory than its bytes', async () => {
  const registry = await FixtureRegistry.start()
  onTestFinished(() => registry.close())
  const { ask, service } = startApp()
  const [from = '', to = ''] = await Promise.all(
    ['v1', 'v2'].map(async (tag) =>
      registry.push('app', tag, makeImage([await makeLayer([{ name: 'a', content: tag }])])),
    ),
  )
  const path = `/v1/diff?${new URLSearchParams({ from, to, wait: '60' })}`
  const answer = await ask(path)
  const body = await answer.text()
  const kept = service.memory.answers.get(`${answer.headers.get('etag')} http://localhost${path}`)
  expect(kept?.byteLength).toBe(Buffer.byteLength(body))
  expect(kept?.buffer.byteLength).toBe(kept?.byteLength)
})
