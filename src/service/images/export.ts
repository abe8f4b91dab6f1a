/** What leaves an image: its file system, a layer, a runtime bundle, the runtime's config, a bill of materials. */
import { layerFiles } from '../../export/layer-files.ts'
import { filesWithin, type Rootfs, type Rows, writeRootfs } from '../../export/rootfs.ts'
import { type SbomFormat, writeSbom } from '../../export/sbom.ts'
import { TarOutput } from '../../export/tar-output.ts'
import type { Host } from '../../host.ts'
import { findFile } from '../../image/lookup.ts'
import type { Entry } from '../../layer/entry.ts'
import { readWholeTar } from '../../layer/tar.ts'
import { type RootlessIds, requireLinux, toRuntimeConfig } from '../../oci/runtime-config.ts'
import { type ContainerUser, needsDatabases, resolveUser } from '../../oci/user.ts'
import type { OpenedImage } from '../../open/open-image.ts'
import { Problem } from '../../problem.ts'
import { END_OF_ARCHIVE } from '../../tar/write.ts'
import { type PathKey, pathToKey } from '../../text/path.ts'
import { openContent } from './content.ts'
import { filesTable, membersTable, packagesOf, WHOLE_FETCH_BYTES } from './image-tables.ts'

/** Limit for `etc/passwd` and `etc/group`; real ones have a few kilobytes. */
const MAX_DATABASE_BYTES = 1024 * 1024

/** The merged file system of an analysed image as a tar, from `within` on. */
export async function* exportRootfs(
  host: Host,
  image: OpenedImage,
  within: PathKey,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const rows = filesWithin(await filesTable(host.store, image), within)
  yield* writeRootfs(rootfsOf(host, image, rows, signal), '')
  yield END_OF_ARCHIVE
}

/**
 * What one layer of an analysed image itself has at and below a path, without its whiteouts, as a tar.
 *
 * @throws Problem `layer_not_found`, `path_not_found`
 */
export async function* exportLayerFiles(
  host: Host,
  image: OpenedImage,
  { layer, within }: { readonly layer: number; readonly within: PathKey },
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const { layers } = image.manifest
  if (layers[layer] === undefined) throw layerNotFound(layer, layers.length)
  const rows = await layerFiles((one) => membersTable(host.store, image, one), layer, within)
  yield* writeRootfs(rootfsOf(host, image, rows, signal), '')
  yield END_OF_ARCHIVE
}

/**
 * One layer's uncompressed tar, byte for byte. Needs no analysis.
 *
 * @throws Problem `layer_not_found`
 */
export async function* exportLayer(
  { configuration, wasm }: Host,
  { manifest, config, source }: OpenedImage,
  layer: number,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const descriptor = manifest.layers[layer]
  if (descriptor === undefined) throw layerNotFound(layer, manifest.layers.length)
  const blob = await source.blob(descriptor)
  const { limits } = configuration
  const diffId = config.diffIds[layer] ?? ''
  try {
    yield* readWholeTar({ blob, descriptor, limits, wasm, signal }, diffId)
  } catch (error) {
    throw error instanceof Problem ? error.with({ layer }) : error
  }
}

function layerNotFound(layer: number, layers: number): Problem {
  const range = layers === 0 ? 'no layers' : `${layers} layers (0 to ${layers - 1})`
  return new Problem('layer_not_found', `layer ${layer} does not exist; the image has ${range}`)
}

/** An OCI runtime bundle of an analysed image as a tar: `config.json`, and the file system below `rootfs/`. */
export async function* exportBundle(
  host: Host,
  image: OpenedImage,
  runtimeConfig: string,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const output = new TarOutput()
  const mtime = createdAt(image)
  const config = new TextEncoder().encode(runtimeConfig)
  output.open({ path: 'config.json', type: 'file', bytes: config.length, mode: 0o644, uid: 0, gid: 0, mtime })
  output.write(config)
  const root = await rootMember(host, image)
  output.open({ mode: 0o755, uid: 0, gid: 0, mtime, ...root, path: 'rootfs', type: 'directory', bytes: 0 })
  yield* output.finish()
  const rows = filesWithin(await filesTable(host.store, image), '')
  yield* writeRootfs(rootfsOf(host, image, rows, signal), 'rootfs/')
  yield END_OF_ARCHIVE
}

/** The attributes of the root directory in the uppermost layer that names it. */
async function rootMember(
  { store }: Host,
  image: OpenedImage,
): Promise<Pick<Entry, 'mode' | 'uid' | 'gid' | 'mtime' | 'xattrs'> | undefined> {
  for (let layer = image.manifest.layers.length - 1; layer >= 0; layer--) {
    const table = await membersTable(store, image, layer)
    let last: Entry | undefined
    for await (const rows of table.rows(table.at(''))) {
      last = rows.findLast((row) => row.key === '' && row.type === 'directory') ?? last
    }
    if (last !== undefined) {
      const { mode, uid, gid, mtime, xattrs } = last
      return { mode, uid, gid, mtime, xattrs }
    }
  }
  return undefined
}

/** Whether the runtime's config depends on the image's files. */
export function needsFiles({ config }: OpenedImage): boolean {
  const { env, user } = config.config
  return needsDatabases(user) || !env.some((variable) => variable.startsWith('HOME='))
}

/**
 * The runtime's `config.json`, as JSON text. Reads `etc/passwd` and `etc/group` of an analysed image, unless the config
 * alone is enough ({@link needsFiles}).
 *
 * @throws Problem `invalid_image` for a user that the image does not have, or an image of another system than Linux
 */
export async function runtimeConfigOf(
  host: Host,
  image: OpenedImage,
  rootless: RootlessIds | undefined,
): Promise<string> {
  requireLinux(image.config)
  const user = await containerUser(host, image)
  return `${JSON.stringify(toRuntimeConfig(image.config, user, rootless), undefined, 2)}\n`
}

async function containerUser(host: Host, image: OpenedImage): Promise<ContainerUser> {
  const { user } = image.config.config
  if (!needsFiles(image)) return resolveUser(user, { passwd: '', group: '' })
  const [passwd, group] = await Promise.all([
    smallText(host, image, 'etc/passwd'),
    smallText(host, image, 'etc/group'),
  ])
  return resolveUser(user, { passwd, group })
}

/** A file's text, following symbolic links inside the image; empty if the image has no such file. */
async function smallText(host: Host, image: OpenedImage, path: string): Promise<string> {
  const files = await filesTable(host.store, image)
  const found = await findFile(files, pathToKey(path)).catch((error: unknown) => {
    if (error instanceof Problem && error.code === 'path_not_found') return undefined
    throw error
  })
  if (found === undefined) return ''
  if (found.bytes > MAX_DATABASE_BYTES) {
    throw new Problem('too_large', `${path} has ${found.bytes} bytes, more than ${MAX_DATABASE_BYTES}`)
  }
  return new Response(await openContent(host, image, found)).text()
}

/** An analysed image's packages as a bill of materials. */
export async function* exportSbom(
  { store }: Host,
  image: OpenedImage,
  format: SbomFormat,
): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder()
  const packages = (await packagesOf(store, image))(0, WHOLE_FETCH_BYTES)
  for await (const text of writeSbom(format, image.identity, packages)) yield encoder.encode(text)
}

function rootfsOf(host: Host, image: OpenedImage, rows: Rows, signal: AbortSignal): Rootfs {
  const { store, wasm, configuration } = host
  return {
    store,
    wasm,
    limits: configuration.limits,
    rows,
    layers: image.manifest.layers,
    openBlob: (layer) => image.source.blob(layer),
    implicitTime: createdAt(image),
    signal,
  }
}

/** Microseconds since 1970; 0 if the config does not say. */
function createdAt({ config }: OpenedImage): number {
  const { created } = config
  if (created === undefined) return 0
  const fraction = /\.(\d+)/.exec(created)?.[1] ?? ''
  const seconds = Math.floor(Date.parse(created) / 1000)
  return seconds * 1_000_000 + Number(fraction.slice(0, 6).padEnd(6, '0'))
}
