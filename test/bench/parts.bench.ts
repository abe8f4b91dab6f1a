/**
 * Partial reads of a layer: a file at its end, the cost of storing checkpoints, and an image known from its table of
 * contents.
 */
import { randomBytes } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { gzipSync } from 'node:zlib'
import { CheckpointArchive, findBlobPart } from '../../src/index/checkpoints.ts'
import { layerKey } from '../../src/index/keys.ts'
import { openMember } from '../../src/layer/member.ts'
import { readLayer } from '../../src/layer/read.ts'
import { digestOf } from '../../src/oci/digest.ts'
import { blobOf, LIMITS, WASM } from '../support/blob.ts'
import { MemoryStore } from '../support/memory-store.ts'
import { HOSTS, startService } from '../support/service.ts'
import { member, tar } from '../support/tar.ts'
import { best, layerFiles, line, median, REGISTRY, seconds } from './measure.ts'

const RUNS = 5
const READINGS = 20
const MEBIBYTE = 1024 * 1024
const LAST_BYTES = 2048

type Blob = { readonly bytes: Uint8Array; readonly digest: string }

/** About 85 MB of lines that compress to a third, followed by a small file. */
function largeLayer(): Blob & { readonly last: Uint8Array } {
  const lines = Array.from({ length: 4_000 }, () => `${randomBytes(40).toString('hex')}\n`)
  const last = randomBytes(LAST_BYTES)
  const members = Array.from({ length: 96 }, (_, i) => {
    const text: string[] = []
    for (let bytes = 0; bytes < MEBIBYTE; bytes += 81)
      text.push(lines[Math.floor(Math.random() * 4_000)] ?? '')
    return member(
      { name: `data/${i}` },
      Buffer.concat([Buffer.from(text.join('')), randomBytes(MEBIBYTE / 3)]),
    )
  })
  const bytes = gzipSync(tar(...members, member({ name: 'last' }, last)), { level: 1 })
  return { bytes, digest: digestOf(bytes), last }
}

async function largestOfApp(): Promise<Blob> {
  const { files, done } = await layerFiles('app', 'v1')
  const layers = await Promise.all(files.map((file) => readFile(file)))
  await done()
  const bytes = layers.reduce((largest, layer) => (layer.length > largest.length ? layer : largest))
  return { bytes, digest: digestOf(bytes) }
}

/**
 * CPU seconds of this thread. V8's other threads collect garbage and compile when they see fit: that varies by a tenth of the
 * process's CPU time from one reading to the next, with and without checkpoints.
 */
async function cpuSeconds(run: () => Promise<unknown>): Promise<number> {
  const before = process.threadCpuUsage()
  await run()
  const { user, system } = process.threadCpuUsage(before)
  return (user + system) / 1e6
}

async function read({ bytes, digest }: Blob, store?: MemoryStore) {
  const archive = store && new CheckpointArchive(store)
  const reading = readLayer(blobOf(bytes, { cuts: [256 * 1024] }).stream, {
    descriptor: { digest, size: bytes.length },
    limits: LIMITS,
    wasm: WASM,
    database: { open() {}, write() {}, close() {} },
    ...(archive === undefined ? {} : { checkpoints: archive }),
  })
  const entries = (await Array.fromAsync(reading.entries())).flat()
  await archive?.finish()
  const kept = Buffer.concat(await Array.fromAsync(archive?.chunks() ?? []))
  await store?.put(layerKey(digest, 'entries.parquet'), kept)
  return { entry: entries.at(-1), checkpoints: { offset: 0, bytes: kept.length } }
}

async function costOfCheckpoints(what: string, blob: Blob): Promise<void> {
  const [without, withThem]: [number[], number[]] = [[], []]
  // They alternate, and so does which goes first: the second finds the caches and the heap as the first left them.
  for (let run = 0; run < READINGS; run++) {
    const readings = [
      async () => without.push(await cpuSeconds(() => read(blob))),
      async () => withThem.push(await cpuSeconds(() => read(blob, new MemoryStore()))),
    ]
    for (const reading of run % 2 === 0 ? readings : readings.reverse()) await reading()
  }
  line(`reading ${what} with checkpoints over without, CPU of the thread`, {
    seconds: best(withThem),
    ratio: best(withThem) / best(without),
    'median of pairs': median(withThem.map((seconds, i) => seconds / (without[i] ?? Number.NaN))),
  })
}

async function readParts(blob: ReturnType<typeof largeLayer>): Promise<void> {
  const { bytes, digest, last } = blob
  const store = new MemoryStore()
  const { entry, checkpoints } = await read(blob, store)
  if (entry?.sha256 === undefined) throw new Error('no entry')
  const kept = checkpoints.bytes
  line('checkpoints of a layer', {
    MB: bytes.length / 1e6,
    KB: kept / 1e3,
    percent: (100 * kept) / bytes.length,
  })
  const options = { ...entry, sha256: entry.sha256, limits: LIMITS, wasm: WASM }
  const fromStart = async () => blobOf(bytes, { cuts: [256 * 1024] }).stream
  const [whole, part]: [number[], number[]] = [[], []]
  const content = async (stream: ReadableStream<Uint8Array>) => {
    const read = Buffer.concat(await Array.fromAsync(stream))
    if (!read.equals(last)) throw new Error('other content')
  }
  for (let run = 0; run < RUNS; run++) {
    whole.push(await seconds(() => content(openMember(fromStart, options))))
    part.push(
      await seconds(async () => {
        const found = await findBlobPart(store, { digest, checkpoints }, entry)
        if (found === undefined) throw new Error('no part')
        const { block, ...place } = found
        const open = async (range?: { readonly start: number; readonly end: number | undefined }) =>
          blobOf(bytes.subarray(range?.start, range?.end), { cuts: [256 * 1024] }).stream
        await content(openMember(open, options, { ...place, from: block ?? 'start' }))
      }),
    )
  }
  line('a file of 2 KB at its end over reading the layer', {
    seconds: best(part),
    ratio: best(part) / best(whole),
  })
}

/** Images made by the corpus builder: 1 GB in 10,000 files. */
async function tables(): Promise<void> {
  for (const host of HOSTS) {
    const service = await startService(host)
    for (const form of ['estargz', 'zstdchunked']) {
      const query = new URLSearchParams({ image: `${REGISTRY}/parts/big:${form}`, read: 'toc', wait: '300' })
      let status = 0
      const took = await seconds(async () => {
        const answer = await fetch(`${service.url}/v1/report?${query}`)
        status = answer.status
        await answer.arrayBuffer()
      })
      if (status !== 200) throw new Error(`parts/big:${form}: ${status}`)
      line(`report of 1 GB from its table, ${form}, ${host}`, { seconds: took })
    }
    await service.stop()
  }
}

export default async function parts(): Promise<void> {
  const synthetic = largeLayer()
  await readParts(synthetic)
  await costOfCheckpoints('that layer', synthetic)
  await costOfCheckpoints('the largest layer of app:v1', await largestOfApp())
  await tables()
}
