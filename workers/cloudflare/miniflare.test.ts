import { readdir } from 'node:fs/promises'
import { expect, it } from 'vitest'
import { FixtureRegistry } from '../../test/registry/fixture.ts'
import { ask } from '../../test/support/ask.ts'
import { makeImage, makeLayer } from '../../test/support/images.ts'
import { startService } from '../../test/support/service.ts'

it('a job leaves nothing on disk except what is in the bucket', async () => {
  const [registry, service] = await Promise.all([FixtureRegistry.start(), startService('worker')])
  try {
    const image = registry.push('app', 'v1', makeImage([await makeLayer([{ name: 'a', content: 'x' }])]))
    const report = await ask(service.url, '/v1/report', { query: { image, wait: 60 } })
    expect(report.status).toBe(200)
    const files = await readdir(service.data, { recursive: true })
    expect(files.filter((file) => file.includes('lamina-JobObject'))).toEqual([])
  } finally {
    await Promise.all([registry.close(), service.stop()])
  }
})
