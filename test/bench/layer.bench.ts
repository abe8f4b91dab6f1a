/** One layer's pass (decode, hash, scan; nothing stored) in Node, against `gzip -dc | sha256sum` on the same blob. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync, gzipSync, zstdCompressSync } from 'node:zlib'
import { readLayer } from '../../src/layer/read.ts'
import { LIMITS, sha256Digest, WASM } from '../blob.ts'
import { member, tar } from '../tar.ts'
import { best, layerFiles, line, seconds, shell } from './measure.ts'

const RUNS = 4
const SMALL_FILES = 100_000
const NO_DATABASE = { open() {}, write() {}, close() {} }

export default async function layer(): Promise<void> {
  const app = await layerFiles('app', 'v1')
  const folder = await mkdtemp(join(tmpdir(), 'lamina-bench-'))
  const largest = await largestOf(app.files)
  const small = join(folder, 'small')
  await writeFile(small, gzipSync(manySmallFiles()))
  const zstd = join(folder, 'zstd')
  await writeFile(zstd, zstdCompressSync(gunzipSync(await readFile(largest))))

  await compare("app:v1's largest layer", largest, largest)
  await compare('the same as zstd', zstd, largest)
  await compare(`${SMALL_FILES} files of 100 bytes`, small, small)
  await app.done()
  await rm(folder, { recursive: true, force: true })
}

async function compare(what: string, blob: string, gzip: string): Promise<void> {
  const server = createServer((_, response) =>
    createReadStream(blob, { highWaterMark: 1 << 20 }).pipe(response),
  )
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  const bytes = await readFile(blob)
  const descriptor = { digest: sha256Digest(bytes), size: bytes.length }
  const reference: number[] = []
  const ours: number[] = []
  for (let run = 0; run < RUNS; run++) {
    reference.push(await seconds(() => shell(`gzip -dc ${gzip} | sha256sum`)))
    ours.push(await seconds(() => pass(`http://127.0.0.1:${address.port}/`, descriptor)))
  }
  server.close()
  line(what, { seconds: best(ours), reference: best(reference), speed: best(reference) / best(ours) })
}

async function pass(url: string, descriptor: { digest: string; size: number }): Promise<void> {
  const { body } = await fetch(url)
  if (body === null) throw new Error('no body')
  const reading = readLayer(body, { descriptor, limits: LIMITS, wasm: WASM, database: NO_DATABASE })
  for await (const _ of reading.entries());
}

async function largestOf(files: readonly string[]): Promise<string> {
  const sized = await Promise.all(files.map(async (file) => ({ file, bytes: (await stat(file)).size })))
  const [first] = sized.toSorted((a, b) => b.bytes - a.bytes)
  if (first === undefined) throw new Error('app:v1 has no layers')
  return first.file
}

function manySmallFiles(): Uint8Array {
  return tar(
    ...Array.from({ length: SMALL_FILES }, (_, i) => {
      const content = createHash('sha256').update(`${i}`).digest('hex').padEnd(100, '.')
      return member({ name: `d${i % 100}/file-${i}.txt` }, content)
    }),
  )
}
