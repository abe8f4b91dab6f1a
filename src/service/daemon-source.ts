/**
 * An image of a Docker Engine as a source: saved by the engine once into the store, as an upload that nobody has the id of,
 * and read from there.
 */
import { isSha256 } from '../oci/digest.ts'
import type { Descriptor } from '../oci/manifest.ts'
import { Problem } from '../problem.ts'
import { Archive } from '../source/archive/archive.ts'
import type { BlobRange, DaemonRef, ImageParts, ImageSource, ResolvedManifest } from '../source/source.ts'
import type { Service } from './service.ts'
import { openUpload, receiveUpload } from './upload.ts'

/** Images that are being saved now, by their ids here: two savings of one image need not be the same bytes. */
const saving = new Map<string, Promise<unknown>>()

export class DaemonSource implements ImageSource {
  readonly ref: DaemonRef
  readonly isPublic = false
  /** A name can be given to another image at any moment. */
  readonly isRemembered = false
  readonly #service: Service
  readonly #signal: AbortSignal | undefined
  #opening: Promise<Archive> | undefined
  #archive: Archive | undefined

  constructor(service: Service, ref: DaemonRef, signal?: AbortSignal) {
    this.#service = service
    this.ref = ref
    this.#signal = signal
  }

  get parts(): ImageParts | undefined {
    return this.#archive
  }

  /** @param name a digest that the image has to have, or the name that the reference has */
  async resolve(name: string): Promise<ResolvedManifest> {
    const archive = await this.#open()
    return archive.resolve(isSha256(name) ? name : '')
  }

  async manifest(digest: string): Promise<Uint8Array> {
    return (await this.#open()).manifest(digest)
  }

  async config(descriptor: Descriptor, limit: number): Promise<Uint8Array> {
    return (await this.#open()).config(descriptor, limit)
  }

  async blob(descriptor: Descriptor, range?: BlobRange): Promise<ReadableStream<Uint8Array>> {
    return (await this.#open()).blob(descriptor, range)
  }

  async has(digest: string): Promise<boolean> {
    return (await this.#open()).has(digest)
  }

  async #open(): Promise<Archive> {
    this.#opening ??= this.#saved()
    this.#archive = await this.#opening
    return this.#archive
  }

  async #saved(): Promise<Archive> {
    const { engine } = this.#service.host
    if (engine === undefined)
      throw new Problem(
        'invalid_reference',
        'docker-daemon: this service reads no engine (LAMINA_DOCKER_HOST)',
      )
    const { id } = await engine.inspect(this.ref.name, this.#signal)
    const upload = `docker-daemon ${engine.name} ${id}`
    await saving.get(upload)?.catch(() => undefined)
    try {
      return await this.#stored(upload)
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== 'upload_not_found') throw error
    }
    // Whoever asked may go, or have no more patience: the next one finds it saved.
    const work = engine.save(id).then((body) => receiveUpload(this.#service, body, { id: upload }))
    saving.set(upload, work)
    try {
      await work
    } finally {
      if (saving.get(upload) === work) saving.delete(upload)
    }
    return this.#stored(upload)
  }

  async #stored(upload: string): Promise<Archive> {
    const { index, reader } = await openUpload(this.#service, upload)
    return new Archive(index, reader)
  }
}
