/** A layer known from its table of contents alone: one or two range requests to the blob instead of all of it. */
import { createHash } from 'node:crypto'
import { WorkBudget } from '../../concurrency.ts'
import type { Limits } from '../../configuration.ts'
import type { WasmModules } from '../../host.ts'
import { Problem } from '../../problem.ts'
import { TarScanner } from '../../tar/scan.ts'
import { BlobReader } from '../blob.ts'
import { decode } from '../decode/decode.ts'
import type { Entry } from '../entry.ts'
import { byteLimit } from '../limits.ts'
import type { OpenBlob } from '../member.ts'
import type { LayerFacts } from '../read.ts'
import type { ChunkSink } from './chunk.ts'
import { type EntryLimits, TableEntries, type TableFile, UnsaidName } from './entries.ts'
import { EntrySplitter } from './split.ts'
import { invalidTable, requireTableSize, TABLE, type VerifiedToc } from './verified-toc.ts'

/** The end of an eStargz: an empty gzip member whose extra field has the table's offset in hexadecimal digits. */
const FOOTER_BYTES = 51
const FOOTER_DIGITS = 16
const FOOTER = /^([0-9a-f]{16})STARGZ$/
const TABLE_NAME = 'stargz.index.json'
/** The most entries in a batch. */
const BATCH = 1000

export type TableOptions = {
  readonly table: VerifiedToc
  /** Size of the blob, in bytes. */
  readonly size: number
  readonly open: OpenBlob
  readonly limits: Limits
  readonly wasm: WasmModules
  readonly signal?: AbortSignal | undefined
  readonly chunks: ChunkSink
  readonly isWanted?: EntryLimits['isWanted']
}

/** What the table says about the layer; the rest comes from its descriptor and the config. */
export type TocFacts = Pick<LayerFacts, 'compression' | 'fileBytes' | 'entries' | 'warnings'>

/** Position of the table in the blob, and where the content ends. */
type TablePosition = { readonly start: number; readonly end: number; readonly contentEnd: number }

export class TableReading {
  readonly #options: TableOptions
  readonly #hash = createHash('sha256')
  readonly #work = new WorkBudget()
  #entries: TableEntries | undefined
  #digest: string | undefined
  #contentEnd = 0
  /** Everything that the digest covers has been hashed. */
  #isRead = false

  constructor(options: TableOptions) {
    this.#options = options
  }

  /**
   * The members in the order of the table, in batches; `offset` is the number of a file's first chunk. Call it once.
   *
   * @throws Problem `invalid_image`, `too_large` (`permanent` if the table is the one that the manifest vouches for), what the
   *   blob's stream fails with; UnsaidName if the table cannot express a name
   */
  async *entries(): AsyncGenerator<readonly Entry[]> {
    const { open, signal, limits, chunks, isWanted } = this.#options
    const { start, end, contentEnd } = await this.#place()
    this.#contentEnd = contentEnd
    const limit = { bytes: byteLimit(limits), entries: limits.entries, contentEnd, isWanted }
    this.#entries = new TableEntries(limit, chunks)
    const { form } = this.#options.table
    const observe = form === 'zstd:chunked' ? (piece: Uint8Array) => void this.#hash.update(piece) : () => {}
    const source = new BlobReader(await open({ start, end }), { observe, signal })
    const json = this.#json(source)
    try {
      yield* this.#read(this.#entries, json)
      const wrong = this.#wrongDigest()
      if (wrong !== undefined) throw wrong
    } catch (error) {
      throw await this.#judge(error, { source, json })
    } finally {
      // It is not read with `for await`, which would end it.
      await json.return(undefined)
      await source.cancel()
    }
  }

  /** Known when `entries` has ended; so are the next two. */
  get facts(): TocFacts {
    const { fileBytes, members, warnings } = this.#completed
    const compression = this.#options.table.form === 'estargz' ? 'gzip' : 'zstd'
    return { compression, fileBytes, entries: members, warnings: warnings.list() }
  }

  get wanted(): readonly TableFile[] {
    return this.#completed.wanted
  }

  get linksDatabases(): boolean {
    return this.#completed.linksDatabases
  }

  /** Where the content of the blob ends. */
  get contentEnd(): number {
    return this.#contentEnd
  }

  get #completed(): TableEntries {
    if (this.#entries === undefined) throw new Error('read all entries first')
    return this.#entries
  }

  async #place(): Promise<TablePosition> {
    const { table, size, open, signal } = this.#options
    if (table.form === 'zstd:chunked') {
      const { offset: start, bytes, contentEnd } = table
      return { start, end: start + bytes, contentEnd }
    }
    const end = size - FOOTER_BYTES
    if (end <= 0) throw invalidTable(`a blob of ${size} bytes cannot end in the footer of an eStargz`)
    const footer = await readAll(
      new BlobReader(await open({ start: end, end: size }), { signal }),
      FOOTER_BYTES,
    )
    const start = Number.parseInt(
      FOOTER.exec(footer.subarray(FOOTER_DIGITS, 38).toString('latin1'))?.[1] ?? '',
      16,
    )
    // Nothing vouches for the footer: if it is wrong, the registry may have sent other bytes.
    if (!(start >= 0 && start < end))
      throw invalidTable(`the footer at byte ${end} does not say where it is`).with({ permanent: false })
    requireTableSize(end - start)
    return { start, end, contentEnd: start }
  }

  /** The bytes of the JSON, each piece valid until the next is requested. */
  async *#json(source: BlobReader): AsyncGenerator<Uint8Array> {
    const { table, wasm, limits } = this.#options
    const { chunks } = await decode(source, { wasm, zstdWindow: limits.zstdWindow })
    let bytes = 0
    for await (const piece of table.form === 'estargz' ? this.#member(chunks) : chunks) {
      bytes += piece.length
      requireTableSize(bytes)
      if (table.form === 'estargz') this.#hash.update(piece)
      yield piece
      if (this.#work.isDue(piece.length)) await this.#work.yield()
    }
    this.#isRead = table.form === 'estargz'
    if (table.form === 'zstd:chunked' && bytes !== table.jsonBytes)
      throw invalidTable(`it has ${bytes} bytes, the manifest says ${table.jsonBytes}`)
  }

  /** The only file in the tar with an eStargz's table. */
  async *#member(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    const scanner = new TarScanner({ bytes: byteLimit(this.#options.limits), entries: 1 })
    for await (const chunk of chunks) {
      scanner.feed(chunk)
      for (let event = scanner.next(); event !== 'hungry'; event = scanner.next()) {
        const { key, bytes, type } = scanner.member
        if (event === 'member' && (key !== TABLE_NAME || type !== 'file'))
          throw invalidTable(`the file ${TABLE_NAME} is not where the footer says`)
        if (event === 'member') requireTableSize(bytes)
        if (event === 'content') yield scanner.content
        if (event === 'end') return
      }
    }
    throw invalidTable(`the file ${TABLE_NAME} is truncated`)
  }

  async *#read(entries: TableEntries, json: AsyncGenerator<Uint8Array>): AsyncGenerator<readonly Entry[]> {
    const splitter = new EntrySplitter()
    let batch: Entry[] = []
    // Not with `for await`, which would stop at a wrong entry: what follows it must be hashed.
    for (let piece = await json.next(); !piece.done; piece = await json.next()) {
      for (const fields of splitter.take(piece.value)) {
        const entry = entries.take(fields)
        if (entry === undefined) continue
        batch.push(entry)
        if (batch.length < BATCH) continue
        yield batch
        batch = []
      }
      await this.#options.chunks.flush()
    }
    splitter.finish()
    entries.finish()
    if (batch.length > 0) yield batch
  }

  #wrongDigest(): Problem | undefined {
    const { digest } = this.#options.table
    this.#digest ??= `sha256:${this.#hash.digest('hex')}`
    if (this.#digest === digest) return undefined
    return invalidTable(`it has the digest ${this.#digest}, the manifest says ${digest}`).with({
      permanent: false,
    })
  }

  /** A fault lasts if the table is the one that the manifest vouches for; if it is another, that is the fault. */
  async #judge(
    error: unknown,
    { source, json }: { readonly source: BlobReader; readonly json: AsyncGenerator<Uint8Array> },
  ): Promise<unknown> {
    if (error instanceof UnsaidName) return (await this.#isOther({ source, json })) ?? error
    const isOfBytes =
      error instanceof Problem && (error.code === 'invalid_image' || error.code === 'too_large')
    if (!isOfBytes) return error
    const fault = error.message.startsWith(TABLE) ? error : invalidTable(error.message)
    const named = error.code === 'too_large' ? error : fault
    try {
      return (await this.#isOther({ source, json })) ?? named.with({ permanent: this.#isRead })
    } catch {
      return named.with({ permanent: false })
    }
  }

  /** Reads the rest of the table; returns the fault that it is not the one that the manifest vouches for, if so. */
  async #isOther({
    source,
    json,
  }: {
    readonly source: BlobReader
    readonly json: AsyncGenerator<Uint8Array>
  }): Promise<Problem | undefined> {
    if (this.#options.table.form === 'zstd:chunked') {
      await source.drain()
      this.#isRead = true
    } else {
      for (let piece = await json.next(); !piece.done; ) piece = await json.next()
    }
    return this.#isRead ? this.#wrongDigest() : undefined
  }
}

async function readAll(source: BlobReader, bytes: number): Promise<Buffer> {
  try {
    const all = await source.peek(bytes)
    return Buffer.from(all.subarray(0, bytes))
  } finally {
    await source.cancel()
  }
}
