/**
 * Uploaded archives: streamed into the store as they arrive, read from it by ranges, and removed some time after their last
 * use. Whoever has an upload's ID sees its images; the store names it by a hash of the ID.
 */
import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import { inParallel } from '../concurrency.ts'
import type { ObjectStore } from '../host.ts'
import { UPLOADS, uploadKey } from '../index/keys.ts'
import { readSealed, seal } from '../index/sealed.ts'
import { BlobReader } from '../layer/blob.ts'
import { decode } from '../layer/decode/decode.ts'
import { Sha256 } from '../layer/sha256.ts'
import { tableDigest } from '../layer/toc/vouched.ts'
import { parseManifest } from '../oci/manifest.ts'
import { formatPlatform } from '../oci/platform.ts'
import { uploadName } from '../oci/source-ref.ts'
import { Problem } from '../problem.ts'
import { Archive } from '../source/archive/archive.ts'
import {
  type ArchiveEntry,
  type ArchiveIndex,
  archiveIndexSchema,
  choose,
  namesOf,
} from '../source/archive/archive-index.ts'
import { asArchiveFault } from '../source/archive/fault.ts'
import { readLayout } from '../source/archive/layout.ts'
import { PassingArchive } from '../source/archive/members.ts'
import type { RangeReader } from '../source/archive/range-reader.ts'
import { forgetOrigin, forgetTables, type TabledBlob } from './forget.ts'
import type { StoredUpload } from './memory.ts'
import type { Service } from './service.ts'

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
const ID_BYTES = 16
/** An upload that takes longer than this is assumed to be left over from a service that crashed. */
const RECEIVING_MILLISECONDS = 24 * 3_600_000
/** How long a request may stall before it is rejected. */
const IDLE_MILLISECONDS = 60_000
/** A use within this time of the last recorded one is not recorded. */
const TOUCH_MILLISECONDS = 1_000
const SWEPT_AT_ONCE = 4
const DROPPED_BYTES = 16 * 1024 * 1024

export type ReceiveOptions = {
  /** A random ID by default. */
  readonly id?: string
  /** How long the body may stall before it is rejected. */
  readonly idleMilliseconds?: number
  readonly signal?: AbortSignal | undefined
}

/**
 * Receives an archive. After a failure nothing of it remains.
 *
 * @throws Problem `invalid_archive`, `too_large`, `store_error`
 */
export async function receiveUpload(
  service: Service,
  body: ReadableStream<Uint8Array> | null,
  {
    id = randomBytes(ID_BYTES).toString('base64url'),
    idleMilliseconds = IDLE_MILLISECONDS,
    signal,
  }: ReceiveOptions = {},
): Promise<Upload> {
  const { store, expiry } = service.host
  const name = uploadName(id)
  // Written first and deleted last, so that whatever a crashed service leaves behind is found.
  const until = Date.now() + RECEIVING_MILLISECONDS
  await setExpiry(store, name, until)
  try {
    await expiry?.watch(name, until)
    const idle = new IdleTimer(idleMilliseconds)
    const stored = await storeArchive(service, name, body ?? new Blob([]).stream(), { idle, signal })
    const key = uploadKey(name, 'index.json')
    await store.put(key, seal(key, stored))
    const expires = await use(service, name)
    await expiry?.watch(name, expires)
    return describe(id, stored, expires)
  } catch (error) {
    await removeUpload(service, name).catch(() => undefined)
    throw error
  }
}

/** The archive is stored decompressed, so that every member can be read by its offset. */
async function storeArchive(
  { host }: Service,
  name: string,
  body: ReadableStream<Uint8Array>,
  { idle, signal }: { readonly idle: IdleTimer; readonly signal: AbortSignal | undefined },
): Promise<StoredUpload> {
  const { store, configuration, wasm } = host
  const limit = configuration.maxUploadBytes
  const given = new BlobReader(body, {
    observe: () => idle.restart(),
    signal: signal === undefined ? idle.signal : AbortSignal.any([signal, idle.signal]),
  })
  const passing = new PassingArchive(new Sha256(await wasm('sha256')), { bytes: limit, setting: SETTING })
  let size = 0
  const chunks = async function* () {
    const decoded = await decode(given, { wasm, zstdWindow: configuration.limits.zstdWindow })
    for await (const chunk of decoded.chunks) {
      size += chunk.length
      if (Math.max(size, given.bytes) > limit) throw tooLarge(limit)
      await passing.take(chunk)
      // The decoder reuses its memory, and the store may collect several chunks.
      yield chunk.slice()
    }
    passing.finish()
  }
  try {
    await store.put(uploadKey(name, 'archive.tar'), streamOf(faultsOf(chunks(), given)))
  } catch (error) {
    await drop(given)
    throw error
  } finally {
    idle.stop()
    await given.cancel()
  }
  const reader = storedArchive(store, name, size)
  return { bytes: given.bytes, index: await readLayout(passing.members, reader) }
}

/** Reads on in a rejected body, up to a limit: a client that is still sending would miss the answer. */
async function drop(given: BlobReader): Promise<void> {
  const end = given.bytes + DROPPED_BYTES
  try {
    for (let piece = await given.read(); piece && given.bytes < end; piece = await given.read())
      given.release(piece)
  } catch {
    // Nobody is sending any more.
  }
}

/** Errors in the bytes are reported as the archive's, and so is a client that disconnects. */
async function* faultsOf(chunks: AsyncGenerator<Uint8Array>, given: BlobReader): AsyncGenerator<Uint8Array> {
  try {
    yield* chunks
  } catch (error) {
    if (error instanceof Problem) throw asArchiveFault(error)
    throw new Problem('invalid_archive', `the upload broke off after ${given.bytes} bytes`)
  }
}

function streamOf(chunks: AsyncGenerator<Uint8Array>): ReadableStream<Uint8Array> {
  return new ReadableStream(
    {
      async pull(controller) {
        const { done, value } = await chunks.next()
        if (done) controller.close()
        else controller.enqueue(value)
      },
      async cancel() {
        await chunks.return(undefined)
      },
    },
    { highWaterMark: 0 },
  )
}

/** @throws Problem `too_large` if the body's declared length is over the limit */
export function admitUpload(service: Service, contentLength: number | undefined): void {
  const limit = service.host.configuration.maxUploadBytes
  if (contentLength !== undefined && contentLength > limit) throw tooLarge(limit)
}

function tooLarge(limit: number): Problem {
  return new Problem(
    'too_large',
    `the archive has more than ${limit} bytes, as sent or decompressed (${SETTING})`,
  )
}

/** What is known about an upload. Asking counts as a use. @throws Problem `upload_not_found` */
export async function readUpload(service: Service, id: string): Promise<Upload> {
  const { stored, name } = await findUpload(service, id)
  return describe(id, stored, await use(service, name))
}

/** @throws Problem `upload_not_found` */
export async function deleteUpload(service: Service, id: string): Promise<void> {
  const { name } = await findUpload(service, id)
  await removeUpload(service, name)
}

/** The archive of an upload, for reading; its lifetime starts again. @throws Problem `upload_not_found` */
export async function openUpload(
  service: Service,
  id: string,
): Promise<{ index: ArchiveIndex; reader: RangeReader }> {
  const { stored, name } = await findUpload(service, id)
  await use(service, name)
  return { index: stored.index, reader: storedArchive(service.host.store, name) }
}

/** Whether it was deleted, as the store says now. Deleting begins with the object that is looked for here. */
export async function isUploadGone({ host }: Service, id: string): Promise<boolean> {
  return !(await host.store.has(uploadKey(uploadName(id), 'index.json')))
}

async function findUpload(
  service: Service,
  id: string,
): Promise<{ readonly name: string; readonly stored: StoredUpload }> {
  const name = uploadName(id)
  const { store } = service.host
  // Checked each time: another process may have deleted it.
  const until = await expiryOf(store, name)
  if (until === undefined || until <= Date.now()) throw notFound()
  const { uploads } = service.memory
  const known = uploads.get(name)
  if (known !== undefined) return { name, stored: known }
  const stored = await storedUpload(store, name)
  // An upload that is still being received cannot be used yet, and one with a damaged index cannot be used any more.
  if (stored === undefined) throw notFound()
  uploads.set(name, stored)
  return { name, stored }
}

function notFound(): Problem {
  return new Problem('upload_not_found', 'no such upload: it was deleted, it expired, or it never existed')
}

/** Records that the upload was used now. @returns when it expires */
async function use({ host, memory }: Service, name: string): Promise<number> {
  const now = Date.now()
  const until = now + host.configuration.uploadSeconds * 1000
  const noted = memory.used.get(name)
  if (noted !== undefined && now - noted < TOUCH_MILLISECONDS) return until
  memory.used.set(name, now)
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
  const until = await expiryOf(service.host.store, name)
  if (until !== undefined && until > Date.now()) return until
  await removeUpload(service, name)
  return undefined
}

/** Removes all expired uploads. */
export async function sweepUploads(service: Service): Promise<void> {
  const names = new Set<string>()
  for await (const key of service.host.store.list(UPLOADS)) {
    const name = key.slice(UPLOADS.length).split('/')[0]
    if (name) names.add(name)
  }
  await inParallel([...names], SWEPT_AT_ONCE, (name) => expireUpload(service, name))
}

async function removeUpload(service: Service, name: string): Promise<void> {
  const { store } = service.host
  const stored = service.memory.uploads.get(name) ?? (await storedUpload(store, name))
  service.memory.uploads.delete(name)
  // Deleted first, so that a job that is still recording what the upload gave finds it gone: see `Visibility.gave`.
  await store.delete(uploadKey(name, 'index.json'))
  if (stored !== undefined) {
    const origin = `upload-${name}`
    const archive = new Archive(stored.index, storedArchive(store, name))
    await forgetTables(store, origin, await tablesOf(archive))
    const { images, indexes, blobs } = stored.index
    const digests = [...images, ...blobs].map((one) => one.digest)
    await forgetOrigin(store, origin, new Set([...digests, ...indexes]))
  }
  await store.delete(uploadKey(name, 'archive.tar'))
  await store.delete(uploadKey(name, 'expires'))
}

/** The layers with tables of contents in the archive's images; for an image with a damaged manifest nothing was ever stored. */
async function tablesOf(archive: Archive): Promise<readonly TabledBlob[]> {
  const layers: TabledBlob[] = []
  for (const { digest, mediaType } of archive.index.images) {
    try {
      const manifest = parseManifest(await archive.manifest(digest), mediaType)
      if (manifest.kind !== 'image') continue
      for (const layer of manifest.layers) {
        const table = tableDigest(layer)
        if (table !== undefined) layers.push({ table, blob: layer.digest })
      }
    } catch (error) {
      if (!(error instanceof Problem)) throw error
    }
  }
  return layers
}

async function storedUpload(store: ObjectStore, name: string): Promise<StoredUpload | undefined> {
  return storedSchema.safeParse(await readSealed(store, uploadKey(name, 'index.json'))).data
}

async function setExpiry(store: ObjectStore, name: string, until: number): Promise<void> {
  const key = uploadKey(name, 'expires')
  await store.put(key, seal(key, { expiresAt: new Date(until).toISOString() }))
}

async function expiryOf(store: ObjectStore, name: string): Promise<number | undefined> {
  const expiry = expirySchema.safeParse(await readSealed(store, uploadKey(name, 'expires'))).data
  return expiry && Date.parse(expiry.expiresAt)
}

function storedArchive(store: ObjectStore, name: string, size = Number.MAX_SAFE_INTEGER): RangeReader {
  return {
    size,
    async read(range) {
      if (range.length === 0) return new Blob([]).stream()
      const object = await store.get(uploadKey(name, 'archive.tar'), range)
      if (object === undefined) throw notFound()
      return object.body
    },
  }
}

function describe(id: string, { bytes, index }: StoredUpload, expires: number): Upload {
  const reference = `upload:${id}`
  const images = index.entries.flatMap((entry) => imagesOf(index, entry, reference))
  const once = new Map(images.map((image) => [image.digest, image]))
  return { id, reference, bytes, images: [...once.values()], expiresAt: new Date(expires).toISOString() }
}

function imagesOf(index: ArchiveIndex, entry: ArchiveEntry, upload: string): UploadedImage[] {
  const names = namesOf(entry)
  const reference = `${upload}${choiceOf(index, entry, names)}`
  return index.images
    .filter((image) => entry.images.includes(image.digest))
    .map((image) => ({
      reference,
      names,
      digest: image.digest,
      id: image.id,
      platform: formatPlatform(image),
    }))
}

/** The suffix with which the upload's reference names this entry; empty if it is the only one. */
function choiceOf(index: ArchiveIndex, entry: ArchiveEntry, names: readonly string[]): string {
  if (isChosen(index, '')) return ''
  const name = names.find((one) => isChosen(index, one))
  return name === undefined ? `@${entry.digest}` : `:${name}`
}

function isChosen(index: ArchiveIndex, wanted: string): boolean {
  try {
    choose(index, wanted)
    return true
  } catch (error) {
    if (error instanceof Problem) return false
    throw error
  }
}

/** Aborts when nothing has happened for a while. */
class IdleTimer {
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
