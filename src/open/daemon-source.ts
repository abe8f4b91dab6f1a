/**
 * An image of a Docker Engine as a source. The engine saves it once into a temporary file, from which its layers are
 * read. The store keeps the list of its parts, so that an image with indexed layers is not saved again.
 */
import { createHash } from 'node:crypto'
import type { Engine, ObjectStore } from '../host.ts'
import { addChecksum, readChecked } from '../index/checksummed.ts'
import { engineImageKey } from '../index/keys.ts'
import { isSha256 } from '../oci/digest.ts'
import type { Descriptor } from '../oci/manifest.ts'
import type { DaemonRef } from '../oci/source-ref.ts'
import { Problem } from '../problem.ts'
import { Archive } from '../source/archive/archive.ts'
import { type ArchiveIndex, archiveIndexSchema } from '../source/archive/archive-index.ts'
import type { RangeReader } from '../source/archive/range-reader.ts'
import type { BlobRange, ImageParts, ImageSource, ResolvedManifest } from '../source/source.ts'
import { openUpload, receiveUpload, sweepUploads } from '../uploads/upload.ts'
import type { Service } from './service.ts'

/** How long a saved file is kept after its last use: an analysis opens it for each layer. */
const FILE_SECONDS = 300
/** An engine prepares the whole image before it sends the first byte. */
const IDLE_MILLISECONDS = 600_000

/** For images of which only the index is used: nothing is read. */
const NOTHING: RangeReader = { size: 0, read: async () => new Blob([]).stream() }

export class DaemonSource implements ImageSource {
  readonly ref: DaemonRef
  readonly isPublic = false
  /** A name can move to another image at any moment. */
  readonly isRemembered = false
  readonly #service: Service
  readonly #signal: AbortSignal | undefined
  #inspecting: Promise<string> | undefined
  #knowing: Promise<Archive> | undefined
  #saving: Promise<Archive> | undefined
  #known: Archive | undefined

  constructor(service: Service, ref: DaemonRef, signal?: AbortSignal) {
    this.#service = service
    this.ref = ref
    this.#signal = signal
  }

  get parts(): ImageParts | undefined {
    return this.#known
  }

  /** @param name a digest that the manifest must have, or the name or ID in the reference */
  async resolve(name: string): Promise<ResolvedManifest> {
    const archive = await this.#know()
    return archive.resolve(isSha256(name) && name !== this.ref.name ? name : '')
  }

  async manifest(digest: string): Promise<Uint8Array> {
    return (await this.#save()).manifest(digest)
  }

  async config(descriptor: Descriptor, limit: number): Promise<Uint8Array> {
    return (await this.#save()).config(descriptor, limit)
  }

  async blob(descriptor: Descriptor, range?: BlobRange): Promise<ReadableStream<Uint8Array>> {
    return (await this.#save()).blob(descriptor, range)
  }

  async has(digest: string): Promise<boolean> {
    return (await this.#know()).has(digest)
  }

  /** The image's ID: it identifies the content, whatever the image is called. */
  #inspect(): Promise<string> {
    this.#inspecting ??= engineOf(this.#service)
      .inspect(this.ref.name, this.#signal)
      .then(({ id }) => id)
    return this.#inspecting
  }

  /** The parts of the image. */
  async #know(): Promise<Archive> {
    this.#knowing ??= this.#recall()
    this.#known = await this.#knowing
    return this.#known
  }

  async #recall(): Promise<Archive> {
    const id = await this.#inspect()
    const { store } = this.#service.host
    const index = await knownIndex(store, engineImageKey(nameOf(engineOf(this.#service), id)))
    return index === undefined ? this.#save() : new Archive(index, NOTHING)
  }

  /** The image with its bytes. */
  #save(): Promise<Archive> {
    this.#saving ??= this.#inspect().then((id) => saved(this.#service, id))
    return this.#saving
  }
}

/** Removes the files of images that were saved some time ago. */
export async function sweepSavedImages(service: Service): Promise<void> {
  if (service.host.engine !== undefined) await sweepUploads(filesOf(service, service.host.engine))
}

/**
 * Opens the file that this thread or another one saved, or saves the image: two saved files of one image may differ in their
 * bytes.
 */
async function saved(service: Service, id: string): Promise<Archive> {
  const engine = engineOf(service)
  const files = filesOf(service, engine)
  const { saving } = service.memory
  const shared = fileOf(engine, id, 0)
  const own = fileOf(engine, id, engine.thread)
  await saving.get(own)?.catch(() => undefined)
  for (const file of new Set([shared, own])) {
    const archive = await openSaved(files, file)
    if (archive !== undefined) return archive
  }
  // If the caller leaves or times out, saving continues for the next one.
  const work = saving.get(own) ?? saveInto(files, { engine, id, file: own })
  saving.set(own, work)
  try {
    await work
  } finally {
    if (saving.get(own) === work) saving.delete(own)
  }
  const archive = await openSaved(files, own)
  if (archive === undefined) throw new Problem('store_error', 'the file of the saved image is missing')
  const key = engineImageKey(nameOf(engine, id))
  await service.host.store.put(key, addChecksum(key, archive.index))
  return archive
}

async function saveInto(
  files: Service,
  { engine, id, file }: { readonly engine: Engine; readonly id: string; readonly file: string },
): Promise<void> {
  await receiveUpload(files, await engine.save(id), { id: file, idleMilliseconds: IDLE_MILLISECONDS })
}

async function openSaved(files: Service, file: string): Promise<Archive | undefined> {
  try {
    return await openUpload(files, file)
  } catch (error) {
    if (error instanceof Problem && error.code === 'upload_not_found') return undefined
    throw error
  }
}

/** What the store knows about an image; unreadable data counts as missing. */
async function knownIndex(store: ObjectStore, key: string): Promise<ArchiveIndex | undefined> {
  return archiveIndexSchema.safeParse(await readChecked(store, key)).data
}

/** A saved image is an upload among the engine's files; nobody has its ID. */
function filesOf(service: Service, engine: Engine): Service {
  const { host } = service
  const configuration = { ...host.configuration, uploadSeconds: FILE_SECONDS }
  return { ...service, host: { ...host, configuration, store: engine.files } }
}

function engineOf({ host }: Service): Engine {
  if (host.engine !== undefined) return host.engine
  throw new Problem(
    'invalid_reference',
    'docker-daemon: this service has no Docker Engine; set LAMINA_DOCKER_HOST on Node',
  )
}

function fileOf(engine: Engine, id: string, thread: number): string {
  return `docker-daemon ${engine.name} ${id} ${thread}`
}

function nameOf(engine: Engine, id: string): string {
  return createHash('sha256').update(`${engine.name} ${id}`).digest('hex')
}
