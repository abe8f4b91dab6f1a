/**
 * The Node host as a folder that needs nothing but Node: `node dist/node/start.js`. The container image contains it. The WASM
 * modules and the pages' files are next to the code.
 */
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, type Plugin } from 'esbuild'
import { assetNames, readAsset } from '../assets.ts'
import { writeCompressed } from '../compressed-assets.ts'

const WORKERS = fileURLToPath(new URL('..', import.meta.url))
const HERE = fileURLToPath(new URL('.', import.meta.url))

/** Looks into packages by name, which a bundle does not have; and its replacement. */
const ASSETS = join(WORKERS, 'assets.ts')
const BUNDLED_ASSETS = join(HERE, 'bundle-overrides/assets.ts')

const overrides: Plugin = {
  name: 'overrides',
  setup({ onResolve }) {
    onResolve({ filter: /\.ts$/ }, ({ path, resolveDir }) =>
      join(resolveDir, path) === ASSETS ? { path: BUNDLED_ASSETS } : undefined,
    )
  },
}

/** What CommonJS modules expect. */
const COMMON_JS = [
  "import { createRequire as lamina_createRequire } from 'node:module'",
  'const require = lamina_createRequire(import.meta.url)',
  'const __filename = import.meta.filename, __dirname = import.meta.dirname',
].join('\n')

/** Services of older builds must be restarted. */
const KEPT_BUILDS = 5

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
      'analysis-thread': join(HERE, 'threads/analysis-thread.ts'),
      'compression-thread': join(HERE, 'threads/compression-thread.ts'),
      'decoding-thread': join(HERE, 'threads/decoding-thread.ts'),
      ...(isService ? { 'request-thread': join(HERE, 'threads/request-thread.ts') } : {}),
    },
    outdir: folder,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node22.19',
    plugins: [overrides, ...plugins],
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

/**
 * The same in a folder named by its content: a service that runs from a folder reads code and files of it all along, so a
 * build must not touch it.
 *
 * @returns the folder below `parent`
 */
export async function bundleByContent(
  parent: string,
  bundleInto: (folder: string) => Promise<void>,
): Promise<string> {
  await mkdir(parent, { recursive: true })
  const made = await mkdtemp(join(parent, '.new-'))
  try {
    await bundleInto(made)
    const folder = join(parent, await contentOf(made))
    await rename(made, folder).catch((error: unknown) => {
      if (!existsSync(folder)) throw error
    })
    await keepLatest(parent, basename(folder))
    return folder
  } finally {
    await rm(made, { recursive: true, force: true })
  }
}

async function contentOf(folder: string): Promise<string> {
  const all = createHash('sha256')
  const files = await readdir(folder, { recursive: true, withFileTypes: true })
  const paths = files.filter((file) => file.isFile()).map((file) => join(file.parentPath, file.name))
  for (const path of paths.sort()) all.update(`${path.slice(folder.length)}\0`).update(await readFile(path))
  return all.digest('hex').slice(0, 16)
}

/** A developer who builds all day does not fill the disk; who runs one of the latest builds keeps it. */
async function keepLatest(parent: string, name: string): Promise<void> {
  const now = new Date()
  await utimes(join(parent, name), now, now)
  const folders = (await readdir(parent)).filter((folder) => !folder.startsWith('.'))
  const ages = await Promise.all(
    folders.map(async (folder) => ({ folder, at: (await stat(join(parent, folder))).mtimeMs })),
  )
  for (const { folder } of ages.sort((a, b) => b.at - a.at).slice(KEPT_BUILDS))
    await rm(join(parent, folder), { recursive: true, force: true })
}

const DIST = fileURLToPath(new URL('../../dist/', import.meta.url))

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (process.argv[2] === '--by-content') console.log(await bundleByContent(join(DIST, 'run'), bundleNode))
  else await bundleNode(join(DIST, 'node'))
}
