/**
 * The Node host as a folder that needs nothing but Node: `node dist/node/start.js`. The container image contains it. The WASM
 * modules and the pages' files are next to the code.
 */
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, type Plugin } from 'esbuild'
import { WASM_NAMES } from '../../src/host.ts'
import { assetNames, readAsset } from '../assets.ts'
import { writeCompressed } from '../compressed-assets.ts'
import { wasmBytes } from '../wasm-bytes.ts'

const WORKERS = fileURLToPath(new URL('..', import.meta.url))
const HERE = fileURLToPath(new URL('.', import.meta.url))

/** Modules that look into packages by name, which a bundle does not have; and their replacements. */
const BESIDE: ReadonlyMap<string, string> = new Map(
  ['assets.ts', 'wasm-bytes.ts'].map((name) => [join(WORKERS, name), join(HERE, 'beside', name)]),
)

const beside: Plugin = {
  name: 'beside',
  setup({ onResolve }) {
    onResolve({ filter: /\.ts$/ }, ({ path, resolveDir }) => {
      const replacement = BESIDE.get(join(resolveDir, path))
      return replacement === undefined ? undefined : { path: replacement }
    })
  },
}

/** What CommonJS modules expect. */
const COMMON_JS = [
  "import { createRequire as lamina_createRequire } from 'node:module'",
  'const require = lamina_createRequire(import.meta.url)',
  'const __filename = import.meta.filename, __dirname = import.meta.dirname',
].join('\n')

export type BundleOptions = {
  /** Emptied first. */
  readonly folder: string
  /** Entry points, by their names in the folder, besides those of the threads. */
  readonly entries: Readonly<Record<string, string>>
  readonly plugins?: readonly Plugin[]
  /** Without what only a service needs: the pages, and the threads that answer requests. */
  readonly isService?: boolean
  readonly minify?: boolean
  /** Packages that are not bundled, but installed next to the folder. */
  readonly external?: readonly string[]
}

/** @param folder is emptied first */
export async function bundleNode(folder: string): Promise<void> {
  await bundle({ folder, entries: { start: join(HERE, 'start.ts') } })
}

/** The Node code as a folder, with the WASM modules and the pages' files. */
export async function bundle({
  folder,
  entries,
  plugins = [],
  isService = true,
  minify = false,
  external = [],
}: BundleOptions): Promise<void> {
  await rm(folder, { recursive: true, force: true })
  await build({
    entryPoints: {
      ...entries,
      'analysis-thread': join(HERE, 'analysis-thread.ts'),
      'decoding-thread': join(HERE, 'decoding-thread.ts'),
      ...(isService ? { 'request-thread': join(HERE, 'request-thread.ts') } : {}),
    },
    outdir: folder,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node22.19',
    plugins: [beside, ...plugins],
    minify,
    external: [...external],
    banner: { js: COMMON_JS },
    legalComments: 'linked',
    logLevel: 'warning',
  })
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }\n')
  await mkdir(join(folder, 'wasm'))
  for (const name of WASM_NAMES) await writeFile(join(folder, `wasm/${name}.wasm`), await wasmBytes(name))
  if (!isService) return
  await mkdir(join(folder, 'assets'))
  for (const name of assetNames())
    await writeFile(join(folder, 'assets', name), (await readAsset(name)) ?? '')
  await writeCompressed(join(folder, 'compressed'))
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  await bundleNode(fileURLToPath(new URL('../../dist/node/', import.meta.url)))
