/**
 * Uploads in parts, for archives larger than one request may be, or over connections that break: the parts are stored as they were
 * sent, in any order, and are received as one body when all are there.
 */
import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import type { ObjectStore } from '../host.ts'
import { addChecksum, readChecked } from '../index/checksummed.ts'
import { sentPartKey, sentPartsPrefix, uploadKey } from '../index/keys.ts'
import { BlobReader } from '../layer/blob.ts'
import { uploadName } from '../oci/source-ref.ts'
import type { Service } from '../open/service.ts'
import { Problem } from '../problem.ts'
import {
  drop,
  dropSentParts,
  expiryOf,
  findUpload,
  ID_BYTES,
  IDLE_MILLISECONDS,
  IdleTimer,
  readUpload,
  removeUpload,
  setExpiry,
  takeArchive,
  tooLarge,
  type Upload,
} from './upload.ts'
import { PART_BYTES, uploadNotFound } from './upload-parts.ts'

/** An upload whose parts are incoming. */
export type OpenUpload = {
  readonly id: string
  /** Size of each part, except the last. */
  readonly partBytes: number
  /** The numbers of the parts that are here. */
  readonly parts: readonly number[]
  /** RFC 3339, in UTC. */
  readonly expiresAt: string
}

const openSchema = z.object({ partBytes: z.int().positive() })

/**
 * Each part extends the upload's life, but records that only after this share of it: on R2, parts that arrive at the same time
 * would wait for each other.
 */
const UNRECORDED = 0.1
/** Failures that a repetition may avoid: the parts stay. */
const TRANSIENT: ReadonlySet<string> = new Set(['store_error', 'rate_limited', 'queue_unavailable'])

/** An upload goes on with the size that it began with. */
type Opened = { readonly partBytes: number; readonly until: number }

/** Begins an upload in parts. */
export async function openUploadInParts(service: Service): Promise<Omit<OpenUpload, 'parts'>> {
  const { store, expiry } = service.host
  const id = randomBytes(ID_BYTES).toString('base64url')
  const name = uploadName(id)
  // First, so that whatever a crashed service leaves behind is found.
  const until = await extend(service, name)
  await expiry?.watch(name, until)
  const key = uploadKey(name, 'parts.json')
  await store.put(key, addChecksum(key, { partBytes: PART_BYTES }))
  return { id, partBytes: PART_BYTES, expiresAt: new Date(until).toISOString() }
}

/** What is known about an upload, or which parts of it have arrived. @throws Problem `upload_not_found` */
export async function readUploadOrParts(service: Service, id: string): Promise<Upload | OpenUpload> {
  const name = uploadName(id)
  const open = await findOpen(service, name)
  if (open === undefined) return readUpload(service, id)
  const parts = await sentParts(service.host.store, name)
  return { id, partBytes: open.partBytes, parts, expiresAt: new Date(open.until).toISOString() }
}

export type SentPart = {
  readonly id: string
  /** From 0. */
  readonly number: number
}

/** Stores a part, in place of an earlier one of its number. @throws Problem `upload_not_found`, `too_large`, `invalid_archive` */
export async function storePart(
  service: Service,
  { id, number }: SentPart,
  body: ReadableStream<Uint8Array> | null,
  signal?: AbortSignal,
): Promise<void> {
  const { host, memory } = service
  const { store, configuration } = host
  const name = uploadName(id)
  // First: a client that is still sending would miss an answer.
  const bytes = await readPart(body, number, signal)
  const open = await findOpen(service, name)
  if (open === undefined) throw uploadNotFound()
  if (number * PART_BYTES + bytes.length > configuration.maxUploadBytes)
    throw tooLarge(configuration.maxUploadBytes)
  const key = sentPartKey(name, number)
  const replaces = await store.has(key)
  if (!replaces) await memory.uploadQuota.take(store, configuration.uploadsBytes)
  try {
    await store.put(key, bytes)
  } catch (error) {
    if (!replaces) memory.uploadQuota.give(1)
    throw error
  }
  if (open.until < Date.now() + lifetime(service)) await extend(service, name)
  // It may have been deleted meanwhile, and this part with it or not.
  if (await store.has(uploadKey(name, 'parts.json'))) return
  await store.delete(key)
  if (!replaces) memory.uploadQuota.give(1)
  throw uploadNotFound()
}

/**
 * Receives the parts as one body. May be called again after a failure that is not the archive's.
 *
 * @param count how many parts there are
 * @throws Problem `upload_incomplete` if one is missing; `invalid_archive`, `too_large`, `store_error`
 */
export async function completeUpload(
  service: Service,
  { id, count, isAnalysed }: { readonly id: string; readonly count: number; readonly isAnalysed: boolean },
): Promise<Upload> {
  const { store } = service.host
  const name = uploadName(id)
  const open = await findOpen(service, name)
  // An earlier call completed it, though its answer was lost.
  if (open === undefined) return readUpload(service, id)
  requireAll(await sentParts(store, name), count)
  try {
    const upload = await takeArchive(service, partsBody(store, { name, count, ...open }), { id, isAnalysed })
    service.memory.uploadQuota.give(await dropSentParts(store, name))
    return upload
  } catch (error) {
    if (error instanceof Problem && !TRANSIENT.has(error.code)) await removeUpload(service, name)
    else await extend(service, name)
    throw error
  }
}

async function findOpen(service: Service, name: string): Promise<Opened | undefined> {
  const { store } = service.host
  const [until, found] = await Promise.all([
    expiryOf(store, name),
    readChecked(store, uploadKey(name, 'parts.json')),
  ])
  const { data } = openSchema.safeParse(found)
  if (data === undefined || until === undefined || until <= Date.now()) return undefined
  // It is complete, and its parts are not removed yet.
  if ((await findUpload(service, name)) !== undefined) return undefined
  return { ...data, until }
}

function lifetime({ host }: Service): number {
  return host.configuration.uploadSeconds * 1000
}

async function extend(service: Service, name: string): Promise<number> {
  const until = Math.ceil((Date.now() + (1 + UNRECORDED) * lifetime(service)) / 1000) * 1000
  await setExpiry(service.host.store, name, until)
  return until
}

async function sentParts(store: ObjectStore, name: string): Promise<readonly number[]> {
  const keys = await Array.fromAsync(store.list(sentPartsPrefix(name)))
  return keys.map((key) => Number(key.slice(key.lastIndexOf('/') + 1)))
}

function requireAll(parts: readonly number[], count: number): void {
  const there = new Set(parts)
  const missing: number[] = []
  for (let number = 0; number < count; number++) if (!there.has(number)) missing.push(number)
  if (missing.length === 0) return
  const detail = `part ${missing[0]} is missing (${missing.length} of ${count} have not arrived); send it, then complete the upload`
  throw new Problem('upload_incomplete', detail)
}

/** The whole part, which is as large as an object of an archive. */
async function readPart(
  body: ReadableStream<Uint8Array> | null,
  number: number,
  signal: AbortSignal | undefined,
): Promise<Uint8Array> {
  const idle = new IdleTimer(IDLE_MILLISECONDS)
  const reader = new BlobReader(body ?? new Blob([]).stream(), {
    observe: () => idle.restart(),
    signal: signal === undefined ? idle.signal : AbortSignal.any([signal, idle.signal]),
  })
  const pieces: Uint8Array[] = []
  try {
    for (let piece = await reader.read(); piece !== undefined; piece = await reader.read()) {
      if (reader.bytes > PART_BYTES) {
        await drop(reader)
        throw new Problem('too_large', `part ${number} has more than ${PART_BYTES} bytes, the size of a part`)
      }
      pieces.push(piece)
    }
  } catch (error) {
    if (error instanceof Problem) throw error
    throw new Problem(
      'invalid_archive',
      `part ${number} broke off after ${reader.bytes} bytes; send it again`,
    )
  } finally {
    idle.stop()
    await reader.cancel()
  }
  if (reader.bytes === 0) throw new Problem('invalid_archive', `part ${number} is empty`)
  return Buffer.concat(pieces)
}

type Parts = { readonly name: string; readonly count: number; readonly partBytes: number }

/** All parts, one after the other. */
function partsBody(store: ObjectStore, { name, count, partBytes }: Parts): ReadableStream<Uint8Array> {
  let number = 0
  return new ReadableStream(
    {
      async pull(controller) {
        if (number === count) return controller.close()
        const bytes = await readSentPart(store, sentPartKey(name, number))
        if (number < count - 1 && bytes.length !== partBytes) {
          const detail = `part ${number} has ${bytes.length} bytes; all parts but the last must have ${partBytes}`
          throw new Problem('invalid_archive', detail)
        }
        controller.enqueue(bytes)
        number++
      },
    },
    { highWaterMark: 0 },
  )
}

async function readSentPart(store: ObjectStore, key: string): Promise<Uint8Array> {
  try {
    const object = await store.get(key)
    if (object !== undefined) return new Uint8Array(await new Response(object.body).arrayBuffer())
  } catch (error) {
    if (error instanceof Problem) throw error
  }
  throw new Problem('store_error', 'a part of the upload cannot be read; complete it again', {
    retryAfter: 5,
  })
}
