/**
 * The Node host as a folder that needs nothing but Node: `node dist/node/start.js`. The container image contains it. The WASM
 * modules and the pages' files are next to the code.
 */
import { cp, mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, type Plugin } from 'esbuild'
import { assetNames, readAsset } from '../assets.ts'
import { writeCompressed } from '../compressed-assets.ts'

const WORKERS = fileURLToPath(new URL('..', import.meta.url))
const HERE = fileURLToPath(new URL('.', import.meta.url))

/** Looks into packages by name, which a bundle does not have; and its replacement. */
const ASSETS = join(WORKERS, 'assets.ts')
const ASSETS_BESIDE = join(HERE, 'beside/assets.ts')

const beside: Plugin = {
  name: 'beside',
  setup({ onResolve }) {
    onResolve({ filter: /\.ts$/ }, ({ path, resolveDir }) =>
      join(resolveDir, path) === ASSETS ? { path: ASSETS_BESIDE } : undefined,
    )
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
  await cp(join(WORKERS, 'wasm'), join(folder, 'wasm'), { recursive: true })
  if (!isService) return
  await mkdir(join(folder, 'assets'))
  for (const name of assetNames())
    await writeFile(join(folder, 'assets', name), (await readAsset(name)) ?? '')
  await writeCompressed(join(folder, 'compressed'))
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  await bundleNode(fileURLToPath(new URL('../../dist/node/', import.meta.url)))
