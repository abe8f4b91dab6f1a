import { expect, it } from 'vitest'
import type { LayerJob } from '../../src/job.ts'
import { Memory } from '../../src/service/memory.ts'
import { layerMemory, SHARED_BYTES, shareMemory } from './memory.ts'

const MB = 1_000_000

const job: LayerJob = {
  kind: 'layer',
  source: { kind: 'registry', registry: 'r.example', repository: 'a' },
  image: 'sha256:1',
  descriptor: { mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest: 'sha256:2', size: 10 },
}

/** Fills all that is kept by key alone, and what is kept with values. */
function fill(memory: Memory): void {
  const pad = 'x'.repeat(1_000)
  for (let i = 0; i < 4_000; i++) {
    const key = `${i}${pad}`
    for (const cache of [memory.confirmed, memory.public, memory.unseen, memory.readTags, memory.noted])
      cache.set(key, true)
    memory.tags.set(key, [pad])
    memory.drawn.set(key, pad)
    memory.answers.set(key, new Uint8Array(1_000))
  }
}

it('jobs and full caches together take no more than an isolate has for them', async () => {
  const memory = new Memory()
  shareMemory(memory)
  fill(memory)
  const full = memory.bytes
  expect(full).toBeGreaterThan(25 * MB)
  expect(full).toBeLessThanOrEqual(SHARED_BYTES)
  const layers = layerMemory(job, 'an object')
  const held = []
  for (let jobs = 1; jobs <= 3; jobs++) {
    held.push(await layers.acquire(['r.example', 'sha256:1']))
    // Before anything else is kept.
    expect(memory.bytes + jobs * 20 * MB).toBeLessThanOrEqual(SHARED_BYTES)
    fill(memory)
    expect(memory.bytes + jobs * 20 * MB).toBeLessThanOrEqual(SHARED_BYTES)
  }
  for (const permit of held) permit.release()
  fill(memory)
  expect(memory.bytes).toBe(full)
})
