import { expect, test } from 'vitest'
import { FixtureRegistry } from '../../test/registry/fixture.ts'
import { startAppOn } from '../../test/support/app.ts'
import { makeImage, makeLayer } from '../../test/support/images.ts'
import { MemoryStore } from '../../test/support/memory-store.ts'
import type { StoredObject } from '../host.ts'
import { Problem } from '../problem.ts'
import { runLayerJob } from './layer-job.ts'

class FailingStore extends MemoryStore {
  override async get(): Promise<StoredObject | undefined> {
    throw new Problem('store_error', 'the store does not answer')
  }
}

test('a failing store leaves no connection to the registry open', async () => {
  const registry = await FixtureRegistry.start()
  const layer = await makeLayer([{ name: 'a', content: 'a' }])
  registry.push('a', 'v1', makeImage([layer]))
  const { service } = startAppOn(new FailingStore())
  const { descriptor } = layer
  const source = { kind: 'registry', registry: registry.host, repository: 'a' } as const
  const job = { kind: 'layer', source, image: descriptor.digest, descriptor } as const
  const run = runLayerJob(service, job, { report() {}, signal: new AbortController().signal })
  await expect(run).rejects.toMatchObject({ code: 'store_error' })
  expect(registry.count({ path: /blobs/ })).toBe(0)
  await registry.close()
})
