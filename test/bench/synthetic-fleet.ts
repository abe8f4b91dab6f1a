/**
 * A folder like that of a service that has analysed a whole fleet of private images, made without any image: each table is
 * written by the code that writes real ones. Repositories share base images, and the tags of one share most of their layers.
 * Bases of one distribution, built separately, have most files in common, and so have repositories with the same module.
 *
 *     node test/bench/synthetic-fleet.ts FOLDER FIRST COUNT
 */
import { hash } from 'node:crypto'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { inParallel } from '../../src/concurrency.ts'
import { imageMetadata } from '../../src/image/image.ts'
import { MERGED_ENTRIES, type MergedEntry } from '../../src/image/merged-entry.ts'
import { PACKAGES } from '../../src/image/package-table.ts'
import type { ImageFacts, LayerReport, Package } from '../../src/image/report.ts'
import { ENTRIES } from '../../src/index/entries.ts'
import { imageKey, layerKey, nameKey, provenanceKey } from '../../src/index/keys.ts'
import { type IndexedLayer, layerMetadata } from '../../src/index/layer-index.ts'
import type { Entry } from '../../src/layer/entry.ts'
import type { Schema } from '../../src/table/schema.ts'
import { type TableTarget, writeTable } from '../../src/table/write-table.ts'
import { MemoryStore } from '../support/memory-store.ts'

const BASES = 20
const DISTRIBUTIONS = 4
/** One in this many of a base's files is unique to it. */
const OWN_FILE_EVERY = 5
const TAGS_OF_A_REPOSITORY = 50
/** Tags that share the layer with their dependencies. */
const TAGS_OF_A_DEPENDENCY_LAYER = 10
const FILES = { base: 150, dependencies: 100, application: 30 } as const
const PACKAGES_OF = { base: 60, dependencies: 30 } as const
/** One in this many images carries a secret. */
const SECRET_EVERY = 97
const WRITTEN_AT_ONCE = 8
const REGISTRY = 'registry.example'
/** What `docs/fleet.md` looks for: the curl of one distribution. */
export const CURL = '9bd5a572f9e2c30fd7cd7ba0d7de4473003df70e7e941aab5f3ea83382387031'
const NOWHERE = { offset: 0, bytes: 0 } as const
const NO_TABLES = {
  directories: NOWHERE,
  waste: NOWHERE,
  duplicates: NOWHERE,
  layerDuplicates: NOWHERE,
} as const

const digestOf = (text: string): string => `sha256:${hash('sha256', text, 'hex')}`

type SyntheticLayer = {
  readonly digest: string
  readonly rows: readonly Entry[]
  readonly bytes: number
  readonly createdBy: string
}

/** A file's path, and a name for its content. */
type SyntheticFile = readonly [path: string, content: string]

function layerOf(name: string, createdBy: string, files: readonly SyntheticFile[]): SyntheticLayer {
  const rows = files
    .map(([path, content]) => [path.replaceAll('/', '\0'), contentOf(content)] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(
      ([key, sha256], ordinal): Entry => ({
        key,
        type: 'file',
        bytes: 100 + ((sha256.charCodeAt(0) * 256 + sha256.charCodeAt(1)) % 40_000),
        mode: 0o644,
        uid: 0,
        gid: 0,
        mtime: 1_700_000_000_000_000,
        sha256,
        link: undefined,
        device: undefined,
        xattrs: undefined,
        whiteout: undefined,
        ordinal,
        offset: ordinal * 65_536 + 512,
      }),
    )
  const bytes = rows.reduce((sum, row) => sum + row.bytes, 0)
  return { digest: digestOf(`layer ${name}`), rows, bytes, createdBy }
}

/** The SHA-256 of the content with this name. */
function contentOf(name: string): string {
  return name === 'curl 0' ? Buffer.from(CURL, 'hex').toString('latin1') : hash('sha256', name, 'binary')
}

function baseLayer(base: number): SyntheticLayer {
  const distribution = base % DISTRIBUTIONS
  const files = Array.from({ length: FILES.base - 1 }, (_, file): SyntheticFile => {
    const owner = file % OWN_FILE_EVERY === 0 ? `base ${base}` : `distribution ${distribution}`
    return [`usr/lib/base-${distribution}/part-${file}.so`, `${owner} part ${file}`]
  })
  return layerOf(`base ${base}`, `ADD base-${base}.tar /`, [
    ...files,
    ['usr/bin/curl', `curl ${distribution}`],
  ])
}

function dependencyLayer(repository: number, group: number): SyntheticLayer {
  const files = Array.from({ length: FILES.dependencies }, (_, file): SyntheticFile => {
    const module = (repository * 31 + file) % 900
    return [`srv/node_modules/module-${module}/file-${file}.js`, `module ${module} ${group} file ${file}`]
  })
  return layerOf(`dependencies ${repository} ${group}`, 'RUN npm ci --omit=dev', files)
}

function applicationLayer(image: number, repository: number): SyntheticLayer {
  const name = `application ${image}`
  const files = Array.from(
    { length: FILES.application },
    (_, file): SyntheticFile => [`srv/app-${repository}/file-${file}.js`, `${name} file ${file}`],
  )
  const secret: SyntheticFile = ['srv/.env', `${name} secret`]
  return layerOf(name, 'COPY . /srv', image % SECRET_EVERY === 0 ? [...files, secret] : files)
}

function packagesOf(base: number, repository: number, group: number): readonly Package[] {
  const deb = Array.from({ length: PACKAGES_OF.base }, (_, number) => {
    const name = number === 0 ? 'openssl' : `lib-${number}`
    const version = number === 0 ? `3.0.${base}-1` : `1.${(base + number) % 7}-1`
    const purl = `pkg:deb/debian/${name}@${version}`
    return { type: 'deb', name, version, architecture: 'amd64', purl, bytes: 4_096, layer: 0 } as const
  })
  const npm = Array.from({ length: PACKAGES_OF.dependencies }, (_, number) => {
    const name = `module-${(repository * 31 + number) % 900}`
    const version = `${1 + (number % 3)}.${group}.0`
    const path = `srv/node_modules/${name}`
    return { type: 'npm', name, version, purl: `pkg:npm/${name}@${version}`, path, layer: 1 } as const
  })
  return [...deb, ...npm]
}

/** Writes images number `first` to `first + count - 1`, and the layers that they need. */
export async function writeFleet(folder: string, first: number, count: number): Promise<void> {
  const written = new Set<string>()
  const numbers = Array.from({ length: count }, (_, index) => first + index)
  await inParallel(numbers, WRITTEN_AT_ONCE, async (image) => {
    const repository = Math.floor(image / TAGS_OF_A_REPOSITORY)
    const tag = image % TAGS_OF_A_REPOSITORY
    const group = Math.floor(tag / TAGS_OF_A_DEPENDENCY_LAYER)
    const base = repository % BASES
    const layers = [baseLayer(base), dependencyLayer(repository, group), applicationLayer(image, repository)]
    for (const layer of layers) {
      if (written.has(layer.digest)) continue
      written.add(layer.digest)
      await writeLayer(folder, layer)
    }
    await writeImage(folder, {
      digest: digestOf(`image ${image}`),
      reference: `${REGISTRY}/team-${repository % 25}/app-${repository}:v${tag}`,
      title: `app-${repository}`,
      version: `1.${tag}.0`,
      layers,
      packages: packagesOf(base, repository, group),
    })
  })
}

async function writeLayer(folder: string, { digest, rows, bytes }: SyntheticLayer): Promise<void> {
  const facts: IndexedLayer = {
    digest,
    diffId: digest,
    compression: 'gzip',
    compressedBytes: Math.ceil(bytes / 3),
    uncompressedBytes: bytes,
    fileBytes: bytes,
    entries: rows.length,
    databases: 0,
    databasesBytes: 0,
    databasesCrc32: 0,
    databasesPart: NOWHERE,
    checkpoints: NOWHERE,
    warnings: [],
  }
  const end = () => ({ parts: [], metadata: () => layerMetadata(digest, facts) })
  await writeRows(folder, { key: layerKey(digest, 'entries.parquet'), end }, ENTRIES, rows)
  await write(folder, provenanceKey('layer', digest, REGISTRY), '')
}

type SyntheticImage = {
  readonly digest: string
  readonly reference: string
  readonly title: string
  readonly version: string
  readonly layers: readonly SyntheticLayer[]
  readonly packages: readonly Package[]
}

async function writeImage(folder: string, image: SyntheticImage): Promise<void> {
  const { digest, reference, title, version, layers, packages } = image
  const merged = layers.flatMap(({ rows }, layer) => rows.map((row) => ({ ...row, layer })))
  merged.sort((a, b) => (a.key < b.key ? -1 : 1))
  const files = merged.map(
    (row, inode): MergedEntry => ({ ...row, inode, linked: undefined, implicit: undefined }),
  )
  const config = JSON.stringify({
    os: 'linux',
    architecture: 'amd64',
    config: {
      Labels: { 'org.opencontainers.image.title': title, 'org.opencontainers.image.version': version },
    },
    rootfs: { type: 'layers', diff_ids: layers.map((layer) => layer.digest) },
    image: digest,
  })
  const configDigest = digestOf(config)
  const manifest = { schemaVersion: 2, config: { digest: configDigest, size: config.length } }
  await write(folder, provenanceKey('config', configDigest, REGISTRY), config)
  await write(folder, provenanceKey('manifest', digest, REGISTRY), JSON.stringify(manifest))
  await writeRows(folder, { key: imageKey(digest, 'files.parquet') }, MERGED_ENTRIES, files)
  const facts = factsOf(layers, packages)
  const end = () => ({ parts: [], metadata: () => imageMetadata(digest, { facts, tables: NO_TABLES }) })
  await writeRows(folder, { key: imageKey(digest, 'packages.parquet'), end }, PACKAGES, packages)
  await write(folder, nameKey(digest, reference), '')
}

function factsOf(layers: readonly SyntheticLayer[], packages: readonly Package[]): ImageFacts {
  const bytes = layers.reduce((sum, layer) => sum + layer.bytes, 0)
  const files = layers.reduce((sum, { rows }) => sum + rows.length, 0)
  const nothing = { bytes: 0, files: 0 }
  return {
    size: {
      compressedBytes: Math.ceil(bytes / 3),
      uncompressedBytes: bytes,
      fileBytes: bytes,
      rootfsBytes: bytes,
      stored: 'compressed',
      apparentBytes: bytes,
    },
    counts: {
      layers: layers.length,
      entries: files,
      paths: files,
      files,
      directories: 0,
      symlinks: 0,
      other: 0,
    },
    layers: layers.map((layer, index) => layerReport(layer, index)),
    waste: { ...nothing, removed: nothing, replaced: nothing, metadataOnly: nothing },
    duplicates: { groups: 0, wastedBytes: 0 },
    efficiency: { score: 1, wastedBytes: 0, inefficientPaths: 0 },
    largestFiles: [],
    largestDirectories: [],
    packages: {
      total: packages.length,
      byType: { deb: PACKAGES_OF.base, npm: PACKAGES_OF.dependencies },
      ownedBytes: 0,
      ownedPercent: 0,
    },
    warnings: [],
  }
}

function layerReport({ digest, bytes, rows, createdBy }: SyntheticLayer, index: number): LayerReport {
  return {
    index,
    digest,
    diffId: digest,
    mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
    compression: 'gzip',
    verified: 'content',
    compressedBytes: Math.ceil(bytes / 3),
    uncompressedBytes: bytes,
    fileBytes: bytes,
    entries: rows.length,
    wastedBytes: 0,
    createdBy,
  }
}

async function writeRows<Row>(
  folder: string,
  target: TableTarget,
  schema: Schema<Row>,
  rows: readonly Row[],
): Promise<void> {
  const store = new MemoryStore()
  await writeTable(store, target, schema, once(rows))
  await write(folder, target.key, store.objects.get(target.key) ?? '')
}

async function* once<Row>(rows: readonly Row[]): AsyncGenerator<readonly Row[]> {
  yield rows
}

async function write(folder: string, key: string, content: string | Uint8Array): Promise<void> {
  const file = join(folder, key)
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, content)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [folder = '', first = '0', count = '0'] = process.argv.slice(2)
  await writeFleet(folder, Number(first), Number(count))
}
