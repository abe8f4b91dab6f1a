/** Who searches an image full of long names does not stop the others: the Worker answers them in between. */
import { gzipSync } from 'node:zlib'
import { beforeAll, expect, it } from 'vitest'
import { FixtureRegistry } from '../registry/fixture.ts'
import { answersUntil } from '../support/health.ts'
import { makeImage, makeLayer } from '../support/images.ts'
import { startService, type TestService } from '../support/service.ts'
import { MAGIC, member, records } from '../support/tar.ts'

const NAMES = 40_000
/** Of 1,000 bytes each. */
const FOLDERS = `${'a'.repeat(199)}/`.repeat(4)
/** They are in some 300 groups of rows, and others get their turn after 16. */
const LEAST_ANSWERS = 8

let service: TestService
let image: string

beforeAll(async () => {
  const registry = await FixtureRegistry.start()
  service = await startService('worker')
  const members = Array.from({ length: NAMES }, (_, at) => {
    const path = FOLDERS + `${at}`.padStart(200, '0')
    return [
      member({ name: 'pax', type: 'x', magic: MAGIC.ustar }, records([['path', path]])),
      member({ name: 'x' }),
    ]
  })
  const tar = Buffer.concat([...members.flat(), Buffer.alloc(1024)])
  const layer = await makeLayer(tar, { bytes: gzipSync(tar, { level: 1 }) })
  image = registry.push('long', 'v1', makeImage([layer]))
  const report = await fetch(`${service.url}/v1/report?${new URLSearchParams({ image, wait: '60' })}`)
  await report.arrayBuffer()
  expect(report.status).toBe(200)
  return () => Promise.all([service.stop(), registry.close()])
})

it.each([
  ['a list by a glob', '/v1/files', { glob: '**/*z*' }, 200],
  ['the gate', '/v1/check', { deny: '**/*z*' }, 200],
])('%s', async (_, path, query, status) => {
  const asked = fetch(`${service.url}${path}?${new URLSearchParams({ image, ...query })}`)
  const { answer, answers } = await answersUntil(service.url, asked)
  expect(answer.status).toBe(status)
  expect(answers).toBeGreaterThanOrEqual(LEAST_ANSWERS)
})
