/**
 * Indexes the layers of an archive while it arrives, since the first report would read them anyway. Which members are layers
 * stands at the end of most archives; here it is guessed from their names, which most tools take from their digests. A wrong
 * guess only costs time: what was read counts if it has the digest.
 */

import { follow, LAYER_MILLISECONDS } from '../follow-job.ts'
import type { ObjectStore } from '../host.ts'
import { incomingKey, incomingPrefix } from '../index/keys.ts'
import type { LayerJob } from '../job.ts'
import type { Service } from '../open/service.ts'
import { Archive } from '../source/archive/archive.ts'
import type { ArchiveBlob } from '../source/archive/archive-index.ts'
import type { NamedFile } from '../source/archive/members.ts'
import { BLOCK } from '../tar/header.ts'
import { PART_BYTES, type StoredArchive, storedArchive, uploadNotFound } from './upload-parts.ts'

/** How many layers of an archive are indexed at the same time. */
const AT_ONCE = 16
/** More layers than archives have: the others wait for the first report. */
const MOST = 512
/**
 * A layer is begun when the part with its last byte is expected within this time: a reader that waits holds a place that others
 * need.
 */
const EXPECTED_MILLISECONDS = 1_000
/** The speed is averaged over at least this time, since the first bytes arrive together with the request. */
const MEASURED_MILLISECONDS = 250
/** Only its size and digest matter to the job. */
const MEDIA_TYPE = 'application/vnd.oci.image.layer.v1.tar'

export class IncomingLayers {
  readonly #service: Service
  readonly #upload: { readonly id: string; readonly name: string }
  readonly #began = Date.now()
  readonly #stopped = new AbortController()
  /** Those that are still far from complete, in the archive's order, and those whose turn it will be. */
  readonly #incoming: NamedFile[] = []
  readonly #waiting: NamedFile[] = []
  readonly #running = new Set<Promise<void>>()
  #count = 0

  /** @param upload its id, and the hash of its id */
  constructor(service: Service, upload: { readonly id: string; readonly name: string }) {
    this.#service = service
    this.#upload = upload
  }

  /**
   * Call this as the archive arrives.
   *
   * @param files whose content has begun to arrive
   * @param bytes how much of the archive has arrived
   */
  see(files: readonly NamedFile[], bytes: number): void {
    const layers = files.filter(mayBeLayer).slice(0, MOST - this.#count)
    this.#count += layers.length
    this.#incoming.push(...layers)
    const speed = bytes / Math.max(MEASURED_MILLISECONDS, Date.now() - this.#began)
    for (let [file] = this.#incoming; file !== undefined; [file] = this.#incoming) {
      const end = Math.ceil((file.offset + file.size) / PART_BYTES) * PART_BYTES
      if (end - bytes > speed * EXPECTED_MILLISECONDS) break
      this.#waiting.push(file)
      this.#incoming.shift()
      this.#next()
    }
  }

  /** Starts no more. Resolves when no more records of them are written; the jobs that run are no longer waited for. */
  async stop(): Promise<void> {
    this.#waiting.length = 0
    this.#stopped.abort(new Error('the upload has ended'))
    await Promise.all(this.#running)
  }

  #next(): void {
    if (this.#running.size >= AT_ONCE) return
    const blob = this.#waiting.shift()
    if (blob === undefined) return
    const running = this.#index(blob)
      // Whatever it is, the first report meets it again.
      .catch(() => undefined)
      .finally(() => {
        this.#running.delete(running)
        this.#next()
      })
    this.#running.add(running)
  }

  async #index(file: NamedFile): Promise<void> {
    const { store, jobs } = this.#service.host
    const { id, name } = this.#upload
    const { digest, size } = file
    const { signal } = this.#stopped
    await store.put(incomingKey(name, file), new Uint8Array(0))
    signal.throwIfAborted()
    const job: LayerJob = {
      kind: 'layer',
      source: { kind: 'upload', id },
      // The layers of an upload share its turn.
      image: name,
      descriptor: { mediaType: MEDIA_TYPE, digest, size },
    }
    // Jobs end when nobody watches them.
    for await (const _ of follow(jobs, job, LAYER_MILLISECONDS, signal)) signal.throwIfAborted()
  }
}

/** Manifests and configs are named by digests, too; a tar consists of blocks. */
function mayBeLayer({ size, compression }: NamedFile): boolean {
  return size > 0 && (compression !== 'none' || size % BLOCK === 0)
}

/** The blobs of an upload that were found while it arrived. @param upload the hash of its id */
export async function incomingBlobs(store: ObjectStore, upload: string): Promise<readonly ArchiveBlob[]> {
  const prefix = incomingPrefix(upload)
  const blobs: ArchiveBlob[] = []
  for await (const key of store.list(prefix)) {
    const [hex, offset, size] = key.slice(prefix.length).split('-')
    blobs.push({ digest: `sha256:${hex}`, offset: Number(offset), size: Number(size), compression: 'none' })
  }
  return blobs
}

/**
 * An archive that is still incoming, or did before it expired: it has layers, but no images.
 *
 * @throws Problem `upload_not_found` if it has no layers either
 */
export async function openIncoming(
  store: ObjectStore,
  archive: Pick<StoredArchive, 'upload' | 'isGone'>,
): Promise<Archive> {
  const blobs = await incomingBlobs(store, archive.upload)
  if (blobs.length === 0) throw uploadNotFound()
  const index = { entries: [], indexes: [], images: [], blobs: [...blobs], made: [] }
  return new IncomingArchive(index, storedArchive(store, archive))
}

class IncomingArchive extends Archive {
  override resolve(): never {
    throw uploadNotFound()
  }

  override async manifest(): Promise<never> {
    throw uploadNotFound()
  }
}
