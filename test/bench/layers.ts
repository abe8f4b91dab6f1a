/** Layers for benchmarks, and a workerd that indexes them. */
import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { fileURLToPath } from 'node:url'
import { createGzip } from 'node:zlib'
import { build } from 'esbuild'
import { Miniflare } from 'miniflare'
import { member, tar } from '../support/tar.ts'
import { peakMegabytes, processBelow, seconds } from './measure.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const MEBIBYTE = 1024 * 1024

export type Layer = {
  readonly file: string
  readonly descriptor: { readonly digest: string; readonly size: number }
}

/** A temporary folder for `use`, removed afterwards. */
export async function withFolder<T>(use: (at: (name: string) => string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'lamina-bench-'))
  try {
    return await use((name) => join(folder, name))
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** A fresh workerd, warmed up by all but the last of `times` runs: the last one's seconds, and the peak memory. */
export async function indexInWorkerd(
  blob: Layer,
  times: number,
): Promise<{ seconds: number; megabytes: number }> {
  const server = createServer((_, response) => {
    createReadStream(blob.file, { highWaterMark: MEBIBYTE }).pipe(response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server has no port')
  const worker = new Miniflare(await options())
  try {
    let last = 0
    for (let run = 0; run < times; run++) {
      last = await seconds(async () => {
        const answer = await worker.dispatchFetch('http://bench/', {
          method: 'POST',
          body: JSON.stringify({ url: `http://127.0.0.1:${address.port}/`, descriptor: blob.descriptor }),
        })
        if (answer.status !== 200) throw new Error(await answer.text())
        await answer.json()
      })
    }
    const pid = await processBelow(process.pid, 'workerd')
    return { seconds: last, megabytes: pid === undefined ? 0 : await peakMegabytes(pid) }
  } finally {
    await worker.dispose()
    server.close()
  }
}

async function options(): Promise<ConstructorParameters<typeof Miniflare>[0]> {
  const built = await build({
    entryPoints: [`${ROOT}test/bench/layer-worker.ts`],
    bundle: true,
    write: false,
    format: 'esm',
    target: 'es2024',
    external: ['node:*', '*.wasm'],
  })
  const contents = (built.outputFiles[0]?.text ?? '').replaceAll('../../workers/wasm/', './')
  const wasm = async (name: string) => ({
    type: 'wasm' as const,
    contents: new Uint8Array(await readFile(`${ROOT}workers/wasm/${name}`)),
  })
  return {
    cf: false,
    telemetry: { enabled: false },
    workers: [
      {
        config: {
          name: 'bench',
          compatibilityDate: '2026-11-01',
          compatibilityFlags: ['nodejs_compat'],
          manifest: {
            mainModule: 'worker.js',
            modulesRoot: '/',
            modules: {
              'worker.js': { type: 'esm', contents },
              'zstd.wasm': await wasm('zstd.wasm'),
              'sha256.wasm': await wasm('sha256.wasm'),
            },
          },
          env: { BUCKET: { type: 'r2', name: 'bench' } },
        },
      },
    ],
  }
}

export async function describeLayer(file: string): Promise<Layer> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(file)) hash.update(chunk)
  return { file, descriptor: { digest: `sha256:${hash.digest('hex')}`, size: (await stat(file)).size } }
}

/** Files of this size, no two alike, a thousand in a directory. */
export async function writeFiles(file: string, count: number, bytes: number): Promise<void> {
  async function* pieces() {
    for (let i = 0; i < count; i += 1_000) {
      const batch = Array.from({ length: Math.min(1_000, count - i) }, (_, j) => {
        const content = createHash('sha256')
          .update(`${i + j}`)
          .digest('hex')
        return member(
          { name: `directory-${i / 1_000}/file-${i + j}.txt` },
          content.padEnd(bytes, '.').slice(0, bytes),
        )
      })
      yield* batch
    }
    yield tar()
  }
  await pipeline(Readable.from(pieces()), createGzip(), createWriteStream(file))
}
