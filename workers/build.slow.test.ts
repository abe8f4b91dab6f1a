/** What `npm run deploy` would upload, from a dry run into a separate folder. */
import { execFile } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'

const WRANGLER = fileURLToPath(new URL('bin/wrangler.js', import.meta.resolve('wrangler/package.json')))
/** The lowest limit of any Cloudflare plan on a Worker's compressed size. */
const WORKER_BYTES = 3_000_000

let folder: string
let said: string
let warned: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'lamina-worker-'))
  const { stdout, stderr } = await promisify(execFile)(
    process.execPath,
    [WRANGLER, 'deploy', '--dry-run', '--outdir', folder],
    {
      cwd: fileURLToPath(new URL('..', import.meta.url)),
      env: { ...process.env, WRANGLER_SEND_METRICS: 'false', CI: 'true', NO_COLOR: '1' },
    },
  )
  said = stdout
  warned = stderr
})

afterAll(() => rm(folder, { recursive: true, force: true }))

test('has one code module and the WASM modules, well under the limit', async () => {
  const modules = (await readdir(folder)).filter((name) => /\.(js|wasm)$/.test(name)).sort()
  expect(modules.map((name) => name.replace(/^[0-9a-f]{40}-/, '')).sort()).toEqual([
    'sha256.wasm',
    'worker.js',
    'zstd.wasm',
  ])
  const contents = await Promise.all(modules.map((name) => readFile(join(folder, name))))
  for (const [i, name] of modules.entries())
    if (name.endsWith('.wasm')) expect(WebAssembly.validate(new Uint8Array(contents[i] ?? []))).toBe(true)
  const bytes = contents.reduce((sum, content) => sum + gzipSync(content).byteLength, 0)
  expect(bytes).toBeLessThan(WORKER_BYTES)
  expect(bytes).toBeGreaterThan(WORKER_BYTES / 10)
})

test('has all the bindings that it needs', () => {
  for (const binding of ['JOBS', 'BUCKET', 'RATE', 'ASSETS']) expect(said).toContain(`env.${binding}`)
  expect(said).toContain('10 requests/60s')
})

test('wrangler knows every setting', () => {
  expect(warned).not.toContain('WARNING')
})
