import { zstdCompressSync } from 'node:zlib'
import { expect, it } from 'vitest'
import { jobKey, type LayerJob } from '../../src/job.ts'
import { JobRunner, type Work } from '../../src/jobs/runner.ts'
import { BlobReader } from '../../src/layer/blob.ts'
import type { Decode } from '../../src/layer/decode/decode.ts'
import { Memory } from '../../src/open/caches.ts'
import type { Inside } from '../../src/open/open-inside.ts'
import { Ledger } from '../../src/storage/ledger.ts'
import { compiledWasm } from '../wasm.ts'
import { LayerMemory, SHARED_BYTES, shareMemory } from './memory.ts'

const MB = 1_000_000

const job: LayerJob = {
  kind: 'layer',
  source: { kind: 'registry', registry: 'r.example', repository: 'a' },
  image: 'sha256:1',
  descriptor: { mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest: 'sha256:2', size: 10 },
}

const TAGS = Array.from({ length: 20 }, (_, tag) => `v${tag}`)
const INSIDE: Inside = {
  kind: 'zip',
  compression: 'none',
  warnings: [],
  entries: {
    count: 0,
    memoryBytes: 6_000,
    at: () => expect.unreachable(),
    key: () => expect.unreachable(),
  },
}

/** Fills all that is kept by key alone, and what is kept with values. */
function fill(memory: Memory): void {
  const pad = 'x'.repeat(1_000)
  for (let i = 0; i < 4_000; i++) {
    const key = `${i}${pad}`
    for (const cache of [memory.confirmed, memory.public, memory.unseen, memory.readTags, memory.recorded])
      cache.set(key, true)
    memory.tags.set(key, [pad])
    memory.drawn.set(key, pad)
    memory.answers.set(key, new Uint8Array(1_000))
    memory.ledgers.set(key, new Ledger(TAGS))
    memory.insides.set(key, INSIDE)
  }
}

it('jobs and full caches together take no more than an isolate has for them', async () => {
  const memory = new Memory()
  shareMemory(memory)
  fill(memory)
  const full = memory.bytes
  expect(full).toBeGreaterThan(30 * MB)
  expect(full).toBeLessThanOrEqual(SHARED_BYTES)
  const layers = new LayerMemory('an object').of(job)
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

it('a zstd layer has the memory of one, whatever its media type: two are not read at once', async () => {
  const bytes = zstdCompressSync(Buffer.alloc(100_000, 'x'))
  let reading = 0
  let most = 0
  const read = async (one: LayerJob, decode: Decode) => {
    const blob = new BlobReader(new Blob([new Uint8Array(bytes)]).stream(), { observe: () => {} })
    const { chunks } = await decode(blob, { wasm: compiledWasm(), zstdWindow: 8 * MB })
    reading++
    most = Math.max(most, reading)
    for await (const _ of chunks) await new Promise(setImmediate)
    reading--
    return one.descriptor.digest
  }
  const done: string[] = []
  // An object has one job.
  const runners = ['sha256:1', 'sha256:2', 'sha256:3'].map((digest) => {
    const memory = new LayerMemory(digest)
    const work: Work = async (one) => {
      if (one.kind === 'layer') done.push(await read(one, memory.decoderOf(one)))
    }
    const runner = new JobRunner(work, { analyses: 1, queuedAnalyses: 1, layers: (one) => memory.of(one) })
    return { runner, job: { ...job, descriptor: { ...job.descriptor, digest } } }
  })
  await Promise.all(
    runners.map(async ({ runner, job }) => {
      await runner.start(job)
      await runner.settled(jobKey(job))
    }),
  )
  expect(done.sort()).toEqual(['sha256:1', 'sha256:2', 'sha256:3'])
  expect(most).toBe(1)
})
