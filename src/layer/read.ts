/** One pass over a layer's blob: its digests, its members, its package databases. */
import { createHash, type Hash, hash } from 'node:crypto'
import { WorkBudget } from '../concurrency.ts'
import type { Limits } from '../configuration.ts'
import type { WasmModules } from '../host.ts'
import type { Compression } from '../oci/compression.ts'
import type { Descriptor } from '../oci/manifest.ts'
import { Problem } from '../problem.ts'
import { TarScanner } from '../tar/scan.ts'
import type { ByteString } from '../text/bytes.ts'
import type { CleanPath } from '../text/clean-path.ts'
import { type BlobOptions, BlobReader } from './blob.ts'
import { type DatabaseSink, isKeptDatabase, linksDatabase, MAX_DATABASE_BYTES } from './database.ts'
import { type CheckpointSink, LEAST_LAYER_BYTES } from './decode/checkpoints.ts'
import { type Decode, decode as decodeHere } from './decode/decode.ts'
import { type Entry, entryOf, type UnreadEntry } from './entry.ts'
import { type ExaminedSink, FileExaminer, linksExamined } from './examine.ts'
import { byteLimit, enforce } from './limits.ts'
import { Sha256 } from './sha256.ts'
import { BlobVerifier } from './verify.ts'
import { type LayerWarning, LayerWarnings } from './warnings.ts'

/** Receives what is collected while reading. */
export type LayerSinks = {
  readonly database: DatabaseSink
  readonly checkpoints?: CheckpointSink
  /** Receives what is inside files. */
  readonly inside?: ExaminedSink
}

export type ReadOptions = LayerSinks & {
  /** The manifest's size and digest of the blob; both are verified. */
  readonly descriptor: Pick<Descriptor, 'digest' | 'size'>
  readonly limits: Limits
  readonly wasm: WasmModules
  /** Decompresses the blob; by default in this thread. */
  readonly decode?: Decode | undefined
  readonly signal?: AbortSignal | undefined
  /** Called after each piece that the registry sent. */
  readonly onBytes?: ((compressedBytes: number) => void) | undefined
  readonly wait?: BlobOptions['wait'] | undefined
}

export type LayerFacts = {
  /** Of the blob: `sha256:<hex>`. */
  readonly digest: string
  /** Digest of the uncompressed tar, including everything after its end marker: `sha256:<hex>`. */
  readonly diffId: string
  readonly compression: Compression
  readonly compressedBytes: number
  readonly uncompressedBytes: number
  /** Sum over the regular files that are not whiteouts. */
  readonly fileBytes: number
  /** Number of members, whiteouts included. */
  readonly entries: number
  readonly warnings: readonly LayerWarning[]
}

export type LayerReading = {
  /**
   * The members in tar order, in batches; the blob is read on demand, and cancelled if the caller stops early. Call it once.
   *
   * @throws Problem `invalid_image` or `too_large` with the position (`permanent` if the bytes match the digest), what the blob's
   *   stream or the sink fails with, or the signal's reason
   */
  entries(): AsyncGenerator<readonly Entry[]>
  /** Known when `entries` has ended. */
  readonly facts: LayerFacts
  /**
   * Whether a hard link with a database's name has a target with another name, whose content was not kept. Known when
   * `entries` has ended.
   */
  readonly linksDatabases: boolean
  /** The same for names by which files are examined. */
  readonly linksExamined: boolean
}

/** The most entries in a batch; a batch also ends at the end of a piece of the tar. */
const BATCH = 1000
const SHA256_OF_NOTHING = hash('sha256', '', 'binary')

class LayerReader implements LayerReading {
  readonly #options: ReadOptions
  readonly #verifier: BlobVerifier
  readonly #source: BlobReader
  readonly #tar = createHash('sha256')
  readonly #warnings = new LayerWarnings()
  readonly #work = new WorkBudget()
  /** Hash of a file that came in several pieces. */
  #content: Hash | undefined
  #compression: Compression = 'none'
  #uncompressedBytes = 0
  #fileBytes = 0
  #databaseBytes = 0
  #entries = 0
  #linksDatabases = false
  #linksExamined = false
  #facts: LayerFacts | undefined
  #open: UnreadEntry | undefined

  constructor(blob: ReadableStream<Uint8Array>, options: ReadOptions) {
    const { descriptor, signal, onBytes, wait } = options
    const verifier = new BlobVerifier(descriptor)
    const observe = (piece: Uint8Array) => {
      verifier.take(piece)
      onBytes?.(verifier.bytes)
    }
    this.#options = options
    this.#verifier = verifier
    this.#source = new BlobReader(blob, { observe, wait, signal })
  }

  get facts(): LayerFacts {
    if (this.#facts === undefined) throw new Error('read all entries before the facts')
    return this.#facts
  }

  get linksDatabases(): boolean {
    return this.#linksDatabases
  }

  get linksExamined(): boolean {
    return this.#linksExamined
  }

  #entry(): UnreadEntry {
    if (this.#open === undefined) throw new Error('no member has been read yet')
    return this.#open
  }

  async *entries(): AsyncGenerator<readonly Entry[]> {
    const { inside } = this.#options
    const examiner = inside && new FileExaminer(inside)
    try {
      yield* this.#scan(examiner)
      const wrong = this.#verifier.wrongDigest() ?? this.#verifier.wrongSize()
      if (wrong !== undefined) throw wrong
      this.#facts = this.#summary()
    } catch (error) {
      throw await this.#judge(error)
    } finally {
      await examiner?.release()
      await this.#source.cancel()
    }
  }

  async *#scan(examiner: FileExaminer | undefined): AsyncGenerator<readonly Entry[]> {
    const { wasm, limits, database, checkpoints, inside, descriptor, decode = decodeHere } = this.#options
    const limit = byteLimit(limits)
    const scanner = new TarScanner({ bytes: limit, entries: limits.entries })
    const { compression, chunks } = await decode(this.#source, {
      wasm,
      zstdWindow: limits.zstdWindow,
      checkpoints: descriptor.size >= LEAST_LAYER_BYTES ? checkpoints : undefined,
    })
    this.#compression = compression
    const sha256 = new Sha256(await wasm('sha256'))
    let batch: Entry[] = []
    let isDatabase = false
    let isExamined = false
    for await (const chunk of chunks) {
      this.#uncompressedBytes += chunk.length
      enforce(limit, this.#uncompressedBytes)
      // A plain tar is its blob, whose digest is computed anyway.
      if (compression !== 'none') this.#tar.update(chunk)
      // Even after the tar's end, where there are no more members.
      if (this.#work.isDue(chunk.length)) await this.#work.yield()
      scanner.feed(chunk)
      for (let event = scanner.next(); event !== 'hungry'; event = scanner.next()) {
        if (event === 'member') this.#open = entryOf(scanner.member)
        const entry = this.#entry()
        switch (event) {
          case 'member':
            this.#remark(entry, scanner.path)
            if (entry.type === 'file' && scanner.isSparse) checkpoints?.addSparse(entry.offset)
            isDatabase = this.#isDatabase(entry)
            if (isDatabase) await database.open(entry.key, entry.bytes, entry.ordinal)
            isExamined = entry.type === 'file' && entry.whiteout === undefined
            if (isExamined) examiner?.open(entry.key, entry.bytes)
            break
          case 'content':
            this.#hash(entry, scanner.content, sha256)
            if (isDatabase) await database.write(scanner.content)
            if (isExamined) {
              const written = examiner?.write(scanner.content)
              if (written !== undefined) await written
            }
            break
          case 'end':
            if (isDatabase) await database.close()
            if (isExamined) {
              const closed = examiner?.close()
              const found = closed && (await closed)
              if (
                found !== undefined &&
                (await inside?.examined(entry.key, entry.ordinal, found)) === 'left out'
              )
                this.#warnings.add('examinedTooLarge', entry.key)
            }
            if (entry.type === 'file') this.#finishFile(entry)
            batch.push(entry)
            if (batch.length < BATCH) break
            yield batch
            batch = []
            break
          default:
            event satisfies never
        }
      }
      if (batch.length > 0) {
        yield batch
        batch = []
      }
      await checkpoints?.flush()
    }
    scanner.finish()
    this.#entries = scanner.entries
  }

  #remark(entry: Entry, path: CleanPath): void {
    if (entry.whiteout !== undefined) return
    if (path.absolute) this.#warnings.add('absolute', entry.key)
    if (path.dotdots > 0) this.#warnings.add('dotdot', entry.key, path.dotdots)
    if (entry.type !== 'hardlink') return
    this.#linksDatabases ||= linksDatabase(entry)
    this.#linksExamined ||= linksExamined(entry)
  }

  #isDatabase(entry: UnreadEntry): boolean {
    if (entry.type !== 'file' || entry.whiteout !== undefined || !isKeptDatabase(entry.key)) return false
    if (this.#databaseBytes + entry.bytes > MAX_DATABASE_BYTES) {
      this.#warnings.add('databaseTooLarge', entry.key)
      return false
    }
    this.#databaseBytes += entry.bytes
    return true
  }

  #hash(entry: UnreadEntry, piece: Uint8Array, sha256: Sha256): void {
    // One call is faster, and most files come in one piece.
    if (piece.length === entry.bytes) {
      entry.sha256 = sha256.digest(piece)
    } else {
      this.#content ??= createHash('sha256')
      this.#content.update(piece)
    }
  }

  #finishFile(entry: UnreadEntry): void {
    entry.sha256 ??= this.#takeContentDigest() ?? SHA256_OF_NOTHING
    if (entry.whiteout === undefined) this.#fileBytes += entry.bytes
  }

  #takeContentDigest(): ByteString | undefined {
    const digest = this.#content?.digest('binary')
    this.#content = undefined
    return digest
  }

  #summary(): LayerFacts {
    const { digest } = this.#options.descriptor
    return {
      digest,
      diffId: this.#compression === 'none' ? digest : `sha256:${this.#tar.digest('hex')}`,
      compression: this.#compression,
      compressedBytes: this.#verifier.bytes,
      uncompressedBytes: this.#uncompressedBytes,
      fileBytes: this.#fileBytes,
      entries: this.#entries,
      warnings: this.#warnings.list(),
    }
  }

  /**
   * A fault in the bytes lasts only if the bytes match the digest. To find out, the rest of the blob is read and hashed, but
   * not decoded; if it has another digest, that is the fault.
   */
  async #judge(error: unknown): Promise<unknown> {
    const isOfBytes =
      error instanceof Problem && (error.code === 'invalid_image' || error.code === 'too_large')
    if (!isOfBytes) return error
    try {
      await this.#source.drain()
    } catch (other) {
      return other
    }
    return this.#verifier.wrongDigest() ?? error.with({ permanent: true })
  }
}

/** Reads a layer's blob, once, as its entries are asked for. */
export function readLayer(blob: ReadableStream<Uint8Array>, options: ReadOptions): LayerReading {
  return new LayerReader(blob, options)
}
