/** Readers that leave in the middle of an answer are not an error: the operator's log stays empty. */
import { rm } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { FixtureRegistry } from '../registry/fixture.ts'
import { makeImage, makeLayer } from '../support/images.ts'
import { HOSTS, type SpawnedService, spawnService, temporaryData } from '../support/service.ts'

/** The Worker prints only errors; on Node a line is JSON, with level 30 for mere information. */
function errorsIn(output: string): readonly string[] {
  return output
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('Lamina listens') && !line.startsWith('{"level":30,'))
}

let registry: FixtureRegistry
let image: string

/** Large enough that nobody reads all of an answer by accident. */
beforeAll(async () => {
  registry = await FixtureRegistry.start()
  const files = Array.from({ length: 15_000 }, (_, i) => ({
    name: `d/${(i * 7919) % 100_003}`,
    content: `${i}`,
  }))
  const large = { name: 'large', content: Buffer.alloc(20_000_000, 'text\n') }
  image = registry.push('app', 'v1', makeImage([await makeLayer([large, ...files])]))
  return () => registry.close()
})

describe.concurrent.each(HOSTS)('on %s', (host) => {
  let data: string
  let service: SpawnedService

  beforeAll(async () => {
    data = await temporaryData()
    service = await spawnService(host, data)
    expect((await read('/v1/report', { wait: '60' })).status).toBe(200)
  })

  afterAll(async () => {
    await service?.end('SIGTERM')
    await rm(data, { recursive: true, force: true })
  })

  function read(path: string, more: Record<string, string>, init: RequestInit = {}): Promise<Response> {
    return fetch(`${service.url}${path}?${new URLSearchParams({ image, ...more })}`, init)
  }

  it('a reader who leaves a list, a file or an export is not logged', async () => {
    const kinds = [
      ['/v1/files', { accept: 'application/x-ndjson' }, {}],
      ['/v1/file', {}, { path: 'large' }],
      ['/v1/export', {}, {}],
    ] as const
    const leave = async ([path, headers, more]: (typeof kinds)[number]) => {
      for (let i = 0; i < 5; i++) {
        const left = new AbortController()
        const answer = await read(path, more, { headers, signal: left.signal })
        expect([path, answer.status]).toEqual([path, 200])
        const reader = answer.body?.getReader()
        await reader?.read()
        left.abort()
        await reader?.read().catch(() => {})
      }
    }
    await Promise.all(kinds.map(leave))
    // The service goes on; by the time of this answer it would have logged an error.
    await new Promise((resolve) => setTimeout(resolve, 1_000))
    expect((await read('/v1/report', {})).status).toBe(200)
    expect(errorsIn(service.output())).toEqual([])
  })

  it('a reader who leaves the events of a running analysis is not logged', async () => {
    const layer = await makeLayer([{ name: `other-${host}`, content: 'x'.repeat(100_000) }])
    const other = registry.push('other', host, makeImage([layer]))
    const silence = Promise.withResolvers<void>()
    registry.fault({ path: new RegExp(layer.descriptor.digest) }, { until: silence.promise })
    const begun = await fetch(`${service.url}/v1/report?${new URLSearchParams({ image: other })}`)
    expect(begun.status).toBe(202)
    const left = new AbortController()
    const events = await fetch(`${service.url}${begun.headers.get('location')}/events`, {
      signal: left.signal,
    })
    await events.body?.getReader().read()
    left.abort()
    silence.resolve()
    const done = await fetch(`${service.url}/v1/report?${new URLSearchParams({ image: other, wait: '60' })}`)
    expect(done.status).toBe(200)
    expect(errorsIn(service.output())).toEqual([])
  })
})
