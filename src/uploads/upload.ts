/**
 * Uploaded archives: streamed into the store as they arrive, read from it by ranges, and removed some time after their last
 * use. Whoever has an upload's ID sees its images; the store names it by a hash of the ID.
 */
import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import { allOf, inParallel } from '../concurrency.ts'
import type { ObjectStore } from '../host.ts'
import { addChecksum, readChecked } from '../index/checksummed.ts'
import {
  archivePrefix,
  incomingPrefix,
  isUploadPart,
  sentPartsPrefix,
  UPLOADS,
  uploadKey,
  uploadPartKey,
} from '../index/keys.ts'
import { BlobReader } from '../layer/blob.ts'
import { type DecodeOptions, decode } from '../layer/decode/decode.ts'
import { UPLOADING } from '../layer/decode/zstd-memory.ts'
import { Sha256 } from '../layer/sha256.ts'
import { tableDigest } from '../layer/toc/verified-toc.ts'
import { parseManifest } from '../oci/manifest.ts'
import { formatPlatform } from '../oci/platform.ts'
import { uploadName } from '../oci/source-ref.ts'
import type { StoredUpload } from '../open/caches.ts'
import { forgetDigest, forgetTable, type TocBlob } from '../open/forget.ts'
import type { Service } from '../open/service.ts'
import { Problem } from '../problem.ts'
import { Archive } from '../source/archive/archive.ts'
import {
  type ArchiveIndex,
  ArchiveNames,
  archiveIndexSchema,
  namesOf,
} from '../source/archive/archive-index.ts'
import { asArchiveFault } from '../source/archive/fault.ts'
import { readLayout } from '../source/archive/layout.ts'
import { PassingArchive } from '../source/archive/members.ts'
import { IncomingLayers, incomingBlobs, openIncoming } from './incoming-layers.ts'
import { PART_BYTES, PartWriter, storedArchive, uploadNotFound } from './upload-parts.ts'

export type UploadedImage = {
  readonly reference: string
  readonly names: readonly string[]
  readonly digest: string
  /** The config's digest. */
  readonly id: string
  readonly platform: string
}

export type Upload = {
  readonly id: string
  readonly reference: string
  /** Size of the request body. */
  readonly bytes: number
  readonly images: readonly UploadedImage[]
  /** RFC 3339, in UTC. */
  readonly expiresAt: string
}

const storedSchema = z.object({ bytes: z.int().nonnegative(), index: archiveIndexSchema })

const expirySchema = z.object({ expiresAt: z.iso.datetime() })
const SETTING = 'LAMINA_MAX_UPLOAD_BYTES'
export const ID_BYTES = 16
/** An upload that takes longer than this is assumed to be left over from a service that crashed. */
const RECEIVING_MILLISECONDS = 24 * 3_600_000
/** How long a request may stall before it is rejected. */
export const IDLE_MILLISECONDS = 60_000
/** A use within this time of the last recorded one is not recorded; the upload is kept for as much longer. */
const USE_MILLISECONDS = 1_000
const SWEPT_AT_ONCE = 4
const REMOVED_AT_ONCE = 8
const DROPPED_BYTES = 16 * 1024 * 1024
/** An archive that is compressed further than this does not consist of layers; small ones may be empty. */
const MOST_RATIO = 200
const ANY_RATIO_BYTES = 256 * 1024 * 1024

export type ReceiveOptions = {
  /** A random ID by default. */
  readonly id?: string
  /** How long the body may stall before it is rejected. */
  readonly idleMilliseconds?: number
  readonly signal?: AbortSignal | undefined
  /** Whether its layers are indexed while it arrives, and its image is analysed then, if there is only one. */
  readonly isAnalysed?: boolean
}

/**
 * Receives an archive. After a failure nothing of it remains.
 *
 * @throws Problem `invalid_archive`, `too_large`, `store_error`
 */
export async function receiveUpload(
  service: Service,
  body: ReadableStream<Uint8Array> | null,
  { id = randomBytes(ID_BYTES).toString('base64url'), ...options }: ReceiveOptions = {},
): Promise<Upload> {
  try {
    return await takeArchive(service, body ?? new Blob([]).stream(), { id, ...options })
  } catch (error) {
    await removeUpload(service, uploadName(id)).catch(() => undefined)
    throw error
  }
}

/** The same, but a failure may leave something. @throws Problem as {@link receiveUpload} */
export async function takeArchive(
  service: Service,
  body: ReadableStream<Uint8Array>,
  options: ReceiveOptions & { readonly id: string },
): Promise<Upload> {
  const { id, idleMilliseconds = IDLE_MILLISECONDS, signal, isAnalysed = false } = options
  const { store, expiry } = service.host
  const name = uploadName(id)
  const layers = isAnalysed ? new IncomingLayers(service, { id, name }) : undefined
  // Written first and deleted last, so that whatever a crashed service leaves behind is found.
  const until = Date.now() + RECEIVING_MILLISECONDS
  try {
    await setExpiry(store, name, until)
    await expiry?.watch(name, until)
    const idle = new IdleTimer(idleMilliseconds)
    const stored = await storeArchive(service, name, body, { idle, signal, layers })
    const key = uploadKey(name, 'index.json')
    await store.put(key, addChecksum(key, stored))
    const [image, ...others] = stored.index.images
    if (isAnalysed && image !== undefined && others.length === 0)
      await analyseUpload(service, id, image.digest)
    // From now on the image's analysis waits for them.
    await layers?.stop()
    const expires = await recordUse(service, name)
    await expiry?.watch(name, expires)
    return describe(id, stored, expires)
  } catch (error) {
    await layers?.stop()
    // If nobody has begun to read it.
    await body.cancel(error).catch(() => undefined)
    throw error
  }
}

/** Starts the analysis that the first request would start. */
async function analyseUpload({ host }: Service, id: string, digest: string): Promise<void> {
  try {
    await host.jobs.start({ kind: 'image', source: { kind: 'upload', id }, digest })
  } catch (error) {
    // Too many are waiting: the first request waits, or is told.
    if (!(error instanceof Problem)) throw error
  }
}

type ReceivingOptions = {
  readonly idle: IdleTimer
  readonly signal: AbortSignal | undefined
  readonly layers: IncomingLayers | undefined
}

/** The archive is stored decompressed, so that every member can be read by its offset. */
async function storeArchive(
  { host, memory }: Service,
  name: string,
  body: ReadableStream<Uint8Array>,
  { idle, signal, layers }: ReceivingOptions,
): Promise<StoredUpload> {
  const { store, configuration, wasm } = host
  const limit = configuration.maxUploadBytes
  const given = new BlobReader(body, {
    observe: () => idle.restart(),
    signal: signal === undefined ? idle.signal : AbortSignal.any([signal, idle.signal]),
  })
  const passing = new PassingArchive(new Sha256(await wasm('sha256')), { bytes: limit, setting: SETTING })
  const { uploadQuota } = memory
  const parts = new PartWriter(store, name, () => uploadQuota.take(store, configuration.uploadsBytes))
  let size = 0
  try {
    for await (const chunk of decoded(given, {
      wasm,
      zstdWindow: configuration.limits.zstdWindow,
      zstdMemory: UPLOADING,
    })) {
      size += chunk.length
      if (Math.max(size, given.bytes) > limit) throw tooLarge(limit)
      requireRatio(size, given.bytes)
      await passing.take(chunk)
      await parts.write(chunk)
      const named = passing.takeNamed()
      layers?.see(named, size)
    }
    passing.finish()
    await parts.finish()
  } catch (error) {
    // First, since reading on may take long.
    await layers?.stop()
    await parts.close()
    await drop(given)
    throw error
  } finally {
    idle.stop()
    await given.cancel()
  }
  const reader = storedArchive(store, { upload: name, size })
  const index = await readLayout(passing.members, reader)
  uploadQuota.give(await dropUnnamed(store, name, { size, index }))
  return { bytes: given.bytes, index }
}

/** Deletes the parts in which there is nothing of any image. @returns how many */
async function dropUnnamed(
  store: ObjectStore,
  name: string,
  { size, index }: { readonly size: number; readonly index: ArchiveIndex },
): Promise<number> {
  const named = new Set<number>()
  for (const { offset, size } of index.blobs)
    for (let part = partOf(offset); part <= partOf(offset + size - 1); part++) named.add(part)
  const parts = Array.from({ length: partOf(size - 1) + 1 }, (_, part) => part)
  const unnamed = parts.filter((part) => !named.has(part))
  await inParallel(unnamed, REMOVED_AT_ONCE, (part) => store.delete(uploadPartKey(name, part)))
  return unnamed.length
}

function partOf(offset: number): number {
  return Math.floor(offset / PART_BYTES)
}

/** @throws Problem `too_large` for a bomb, before it has filled the store */
function requireRatio(size: number, sent: number): void {
  if (size <= ANY_RATIO_BYTES || size <= MOST_RATIO * sent) return
  const detail = `the archive has ${size} bytes after ${sent} as sent: more than ${MOST_RATIO} times as many`
  throw new Problem('too_large', detail)
}

/** Reads on in a rejected body, up to a limit: a client that is still sending would miss the answer. */
export async function drop(given: BlobReader): Promise<void> {
  const end = given.bytes + DROPPED_BYTES
  try {
    for (let piece = await given.read(); piece && given.bytes < end; piece = await given.read())
      given.release(piece)
  } catch {
    // Nobody is sending any more.
  }
}

/** Errors in the bytes are reported as the archive's, and so is a client that disconnects. */
async function* decoded(given: BlobReader, options: DecodeOptions): AsyncGenerator<Uint8Array> {
  try {
    yield* (await decode(given, options)).chunks
  } catch (error) {
    if (error instanceof Problem) throw asArchiveFault(error)
    throw new Problem('invalid_archive', `the upload broke off after ${given.bytes} bytes`)
  }
}

/** @throws Problem `too_large` if the body's declared length is over the limit */
export function admitUpload(service: Service, contentLength: number | undefined): void {
  const limit = service.host.configuration.maxUploadBytes
  if (contentLength !== undefined && contentLength > limit) throw tooLarge(limit)
}

export function tooLarge(limit: number): Problem {
  return new Problem(
    'too_large',
    `the archive has more than ${limit} bytes, as sent or decompressed (${SETTING})`,
  )
}

/** What is known about an upload. Asking counts as a use. @throws Problem `upload_not_found` */
export async function readUpload(service: Service, id: string): Promise<Upload> {
  const name = uploadName(id)
  const found = await findUpload(service, name)
  if (found === undefined) throw uploadNotFound()
  return describe(id, found.stored, await recordUse(service, name, found.until))
}

/** @throws Problem `upload_not_found` */
export async function deleteUpload(service: Service, id: string): Promise<void> {
  const name = uploadName(id)
  const isThere = (await findUpload(service, name)) !== undefined || (await isOpen(service.host.store, name))
  if (!isThere) throw uploadNotFound()
  await removeUpload(service, name)
}

/**
 * The archive of an upload, for reading; its lifetime starts again. While it is still incoming, it has no images yet, only
 * layers.
 *
 * @throws Problem `upload_not_found`; `upload_incomplete` if its parts are still incoming
 */
export async function openUpload(service: Service, id: string): Promise<Archive> {
  const { store } = service.host
  const upload = uploadName(id)
  const found = await findUpload(service, upload)
  if (found !== undefined) {
    await recordUse(service, upload, found.until)
    return new Archive(found.stored.index, storedArchive(store, { upload }))
  }
  try {
    return await openIncoming(store, { upload, isGone: () => isUploadGone(service, id) })
  } catch (error) {
    if (!(error instanceof Problem && error.code === 'upload_not_found' && (await isOpen(store, upload))))
      throw error
    throw new Problem('upload_incomplete', 'the upload is not complete: send its parts, then complete it')
  }
}

/** Whether its parts are still incoming. */
async function isOpen(store: ObjectStore, name: string): Promise<boolean> {
  const until = await expiryOf(store, name)
  return until !== undefined && until > Date.now() && (await store.has(uploadKey(name, 'parts.json')))
}

/** Removes the parts of an upload that is complete, as they were sent. @returns how many */
export async function dropSentParts(store: ObjectStore, name: string): Promise<number> {
  const removed = await removeAll(store, sentPartsPrefix(name))
  await store.delete(uploadKey(name, 'parts.json'))
  return removed.length
}

/** Whether it was deleted, as the store says now. Deleting begins with `index.json`, once `removed` has its content. */
export async function isUploadGone({ host }: Service, id: string): Promise<boolean> {
  const name = uploadName(id)
  if (await host.store.has(uploadKey(name, 'index.json'))) return false
  if (await host.store.has(uploadKey(name, 'removed'))) return true
  for await (const _ of host.store.list(incomingPrefix(name))) return false
  return true
}

type FoundUpload = {
  readonly stored: StoredUpload
  /** When it expires. */
  readonly until: number
}

/** @param name the hash of its id */
export async function findUpload(service: Service, name: string): Promise<FoundUpload | undefined> {
  const { store } = service.host
  const { uploads } = service.memory
  const known = uploads.get(name)
  const key = uploadKey(name, 'index.json')
  const [until, stored] = await allOf([
    expiryOf(store, name),
    // Looked for each time: another process may have deleted it, and a late use may have recorded when it expires.
    known === undefined ? storedUpload(store, name) : store.has(key).then((is) => (is ? known : undefined)),
  ])
  // An upload that is still being received cannot be used yet, and one with a damaged index cannot be used any more.
  if (until === undefined || until <= Date.now() || stored === undefined) return undefined
  uploads.set(name, stored)
  return { stored, until }
}

/**
 * Records that the upload was used now.
 *
 * @param recorded when it expires, if this is not its first use
 * @returns when it expires now
 */
async function recordUse({ host }: Service, name: string, recorded?: number): Promise<number> {
  const end = Date.now() + host.configuration.uploadSeconds * 1000 + USE_MILLISECONDS
  // Rounded, so that uses at the same time write the same bytes: on R2 they would have to wait for each other.
  const until = Math.ceil(end / USE_MILLISECONDS) * USE_MILLISECONDS
  if (recorded !== undefined && Math.abs(until - recorded) <= USE_MILLISECONDS) return recorded
  await setExpiry(host.store, name, until)
  return until
}

/**
 * Removes an expired upload.
 *
 * @param name the hash of its id
 * @returns when it expires, if it has not yet
 */
export async function expireUpload(service: Service, name: string): Promise<number | undefined> {
  const { store } = service.host
  const [isRemoved, until] = await allOf([store.has(uploadKey(name, 'removed')), expiryOf(store, name)])
  if (!isRemoved && until !== undefined && until > Date.now()) return until
  await removeUpload(service, name)
  return undefined
}

/** Removes all expired uploads; one that cannot be removed does not keep the others. @throws the first failure */
export async function sweepUploads(service: Service): Promise<void> {
  const names = new Set<string>()
  for await (const key of service.host.store.list(UPLOADS)) {
    const name = key.slice(UPLOADS.length).split('/')[0]
    if (name) names.add(name)
  }
  const failures: unknown[] = []
  await inParallel([...names], SWEPT_AT_ONCE, async (name) => {
    await expireUpload(service, name).catch((error) => failures.push(error))
  })
  if (failures.length > 0) throw failures[0]
}

/** Can start again wherever it was cut off: what names the digests goes after everything that is known from them. */
export async function removeUpload(service: Service, name: string): Promise<void> {
  const { store } = service.host
  const stored = (await storedUpload(store, name)) ?? (await storedUpload(store, name, 'removed'))
  const tombstone = uploadKey(name, 'removed')
  await store.put(tombstone, stored === undefined ? new Uint8Array(0) : addChecksum(tombstone, stored))
  // First, so that a job that is still recording what the upload gave finds it gone: see `Visibility.recordOrigin`.
  await store.delete(uploadKey(name, 'index.json'))
  await store.delete(uploadKey(name, 'parts.json'))
  service.memory.uploads.delete(name)
  const origin = `upload-${name}`
  const digests = new Set((await incomingBlobs(store, name)).map((blob) => blob.digest))
  if (stored !== undefined) {
    const archive = new Archive(stored.index, storedArchive(store, { upload: name }))
    const tables = await tablesOf(archive)
    await inParallel(tables, REMOVED_AT_ONCE, (layer) => forgetTable(store, origin, layer))
    const { images, indexes, blobs } = stored.index
    for (const digest of [...[...images, ...blobs].map((one) => one.digest), ...indexes]) digests.add(digest)
  }
  await inParallel([...digests], REMOVED_AT_ONCE, (digest) => forgetDigest(store, origin, digest))
  const removed = await removeAll(store, archivePrefix(name))
  service.memory.uploadQuota.give(removed.filter(isUploadPart).length)
  for (const object of ['expires', 'removed'] as const) await store.delete(uploadKey(name, object))
}

async function removeAll(store: ObjectStore, prefix: string): Promise<readonly string[]> {
  const keys = await Array.fromAsync(store.list(prefix))
  await inParallel(keys, REMOVED_AT_ONCE, (key) => store.delete(key))
  return keys
}

/** The layers with tables of contents in the archive's images; for an image with a damaged manifest nothing was ever stored. */
async function tablesOf(archive: Archive): Promise<readonly TocBlob[]> {
  const layers: TocBlob[] = []
  for (const { digest, mediaType } of archive.index.images) {
    try {
      const manifest = parseManifest(await archive.manifest(digest), mediaType)
      if (manifest.kind !== 'image') continue
      for (const layer of manifest.layers) {
        const table = tableDigest(layer)
        if (table !== undefined) layers.push({ table, blob: layer.digest })
      }
    } catch (error) {
      if (!(error instanceof Problem) || error.code === 'store_error') throw error
    }
  }
  return layers
}

async function storedUpload(
  store: ObjectStore,
  name: string,
  object: 'index.json' | 'removed' = 'index.json',
): Promise<StoredUpload | undefined> {
  return storedSchema.safeParse(await readChecked(store, uploadKey(name, object))).data
}

export async function setExpiry(store: ObjectStore, name: string, until: number): Promise<void> {
  const key = uploadKey(name, 'expires')
  await store.put(key, addChecksum(key, { expiresAt: new Date(until).toISOString() }))
}

export async function expiryOf(store: ObjectStore, name: string): Promise<number | undefined> {
  const expiry = expirySchema.safeParse(await readChecked(store, uploadKey(name, 'expires'))).data
  return expiry && Date.parse(expiry.expiresAt)
}

function describe(id: string, { bytes, index }: StoredUpload, expires: number): Upload {
  const reference = `upload:${id}`
  const archive = new ArchiveNames(index)
  const images = new Map<string, UploadedImage>()
  for (const entry of index.entries) {
    const names = namesOf(entry)
    const chosen = `${reference}${archive.suffixOf(entry)}`
    for (const image of archive.imagesOf(entry)) {
      const { digest, id } = image
      images.set(digest, { reference: chosen, names, digest, id, platform: formatPlatform(image) })
    }
  }
  return { id, reference, bytes, images: [...images.values()], expiresAt: new Date(expires).toISOString() }
}

/** Aborts when nothing has happened for a while. */
export class IdleTimer {
  readonly #control = new AbortController()
  readonly #milliseconds: number
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(milliseconds: number) {
    this.#milliseconds = milliseconds
    this.restart()
  }

  get signal(): AbortSignal {
    return this.#control.signal
  }

  restart(): void {
    this.stop()
    const why = new Problem(
      'invalid_archive',
      `the upload stalled: no data for ${this.#milliseconds / 1000} s`,
    )
    this.#timer = setTimeout(() => this.#control.abort(why), this.#milliseconds)
  }

  stop(): void {
    clearTimeout(this.#timer)
  }
}
