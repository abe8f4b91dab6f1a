/**
 * `databases.tar`: the package databases of a layer, caught in passing, as a tar that any tool unpacks. Members stand in
 * the order of the layer's; each has a PAX header with `LAMINA.ordinal`, its position among the members of the layer's own
 * tar, and with `path` where ustar's name cannot hold it. Times, owners and modes are always the same.
 */

import type { ObjectStore, StoredObject } from '../host.ts'
import type { DatabaseSink } from '../layer/database.ts'
import { Problem } from '../problem.ts'
import { ByteBuffer } from '../table/byte-buffer.ts'
import { type ByteString, toByteString } from '../text/bytes.ts'
import { keyToPath, type PathKey, pathToKey } from '../text/path.ts'
import { layerKey } from './keys.ts'

const BLOCK = 512
/** What is collected before the store is handed it: most databases are small. */
const PIECE_BYTES = 64 * 1024
/** Two empty blocks. */
const END_BYTES = 2 * BLOCK
const NAME_BYTES = 100
const ORDINAL = 'LAMINA.ordinal'

/** Puts what it is given into the store, member by member; a slow store holds up the layer. */
export class DatabaseArchive implements DatabaseSink {
  readonly #store: ObjectStore
  readonly #key: string
  readonly #piece = new ByteBuffer(PIECE_BYTES)
  #writer: WritableStreamDefaultWriter<Uint8Array> | undefined
  #put: Promise<void> | undefined
  /** Of the open member. */
  #left = 0
  #padding = 0

  /** @param digest of the layer's blob */
  constructor(store: ObjectStore, digest: string) {
    this.#store = store
    this.#key = layerKey(digest, 'databases.tar')
  }

  open(key: PathKey, bytes: number, ordinal: number): void | Promise<void> {
    writeMemberHead(this.#piece, keyToPath(key), bytes, ordinal)
    this.#left = bytes
    this.#padding = paddingOf(bytes)
    return this.#flushFull()
  }

  write(chunk: Uint8Array): void | Promise<void> {
    this.#left -= chunk.length
    this.#piece.bytes(chunk)
    return this.#flushFull()
  }

  close(): void {
    if (this.#left !== 0) throw new Error('a database of another size than was said')
    this.#piece.zeros(this.#padding)
  }

  /** Resolves when the object is stored; there is none where the layer has no database. */
  async finish(): Promise<void> {
    if (this.#writer === undefined && this.#piece.length === 0) return
    this.#piece.zeros(END_BYTES)
    await this.#flush()
    await this.#taken(this.#writer?.close())
    await this.#put
  }

  /** The layer failed: nothing is stored. */
  async abort(reason: unknown): Promise<void> {
    await this.#writer?.abort(reason).catch(() => {})
    await this.#put?.catch(() => {})
  }

  #flushFull(): void | Promise<void> {
    if (this.#piece.length >= PIECE_BYTES) return this.#flush()
  }

  async #flush(): Promise<void> {
    const piece = this.#piece.copy()
    this.#piece.length = 0
    this.#writer ??= this.#begin()
    await this.#taken(this.#writer.write(piece))
  }

  /** Where the store fails it says why; its stream says at most that nobody reads it any more. */
  async #taken(writing: Promise<void> | undefined): Promise<void> {
    try {
      await writing
    } catch (error) {
      await this.#put
      throw error
    }
  }

  #begin(): WritableStreamDefaultWriter<Uint8Array> {
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>({})
    const writer = writable.getWriter()
    this.#put = this.#store.put(this.#key, readable)
    // A store that fails need not cancel what it reads: whoever writes is to be told all the same.
    this.#put.catch((error) => writer.abort(error).catch(() => {}))
    writer.closed.catch(() => {})
    return writer
  }
}

function writeMemberHead(out: ByteBuffer, path: ByteString, bytes: number, ordinal: number): void {
  const inName = path.length <= NAME_BYTES && !/[^\x20-\x7e]/.test(path)
  const records = (inName ? '' : paxRecord('path', path)) + paxRecord(ORDINAL, String(ordinal))
  writeHeader(out, 'pax', records.length, 'x')
  out.latin1(records)
  out.zeros(paddingOf(records.length))
  writeHeader(out, inName ? path : 'database', bytes, '0')
}

/** POSIX pax, "Extended Header": `length key=value\n`, the length counting itself. */
function paxRecord(key: string, value: ByteString): ByteString {
  const rest = ` ${key}=${value}\n`
  let length = rest.length
  while (String(length).length + rest.length !== length) length = String(length).length + rest.length
  return `${length}${rest}`
}

/** POSIX ustar. */
function writeHeader(out: ByteBuffer, name: ByteString, bytes: number, type: 'x' | '0'): void {
  const octal = (value: number, digits: number) => `${value.toString(8).padStart(digits, '0')}\0`
  const before = `${name.padEnd(NAME_BYTES, '\0')}${octal(0o644, 7)}${octal(0, 7)}${octal(0, 7)}${octal(bytes, 11)}${octal(0, 11)}`
  const after = `${type}${''.padEnd(100, '\0')}ustar\x0000`
  let sum = 8 * 32
  for (let i = 0; i < before.length; i++) sum += before.charCodeAt(i)
  for (let i = 0; i < after.length; i++) sum += after.charCodeAt(i)
  out.latin1(`${before}${octal(sum, 6)} ${after}`)
  out.zeros(BLOCK - before.length - 8 - after.length)
}

function paddingOf(bytes: number): number {
  return (BLOCK - (bytes % BLOCK)) % BLOCK
}

/**
 * The databases of a layer in the order of its tar, each whole in memory, one at a time; none where it has none.
 *
 * @param digest of the layer's blob
 * @throws Problem `store_error` where the object is damaged
 */
export async function* readDatabases(
  store: ObjectStore,
  digest: string,
): AsyncGenerator<{ readonly key: PathKey; readonly ordinal: number; readonly bytes: Uint8Array }> {
  const object = await store.get(layerKey(digest, 'databases.tar'))
  if (object === undefined) return
  const input = new BlockReader(object)
  try {
    for (;;) {
      const head = parseHeader(await input.read(BLOCK))
      if (head === undefined) return
      const records = parsePax(toByteString(await readPadded(input, head.bytes)))
      const member = parseHeader(await input.read(BLOCK))
      const ordinal = Number(records.get(ORDINAL))
      if (head.type !== 'x' || member?.type !== '0' || !Number.isInteger(ordinal))
        throw new RangeError('no such member')
      const key = pathToKey(records.get('path') ?? member.name)
      yield { key, ordinal, bytes: await readPadded(input, member.bytes) }
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw new Problem(
      'store_error',
      `the stored package databases of ${digest} are damaged: ${error.message}`,
    )
  } finally {
    await input.cancel()
  }
}

type Header = { readonly name: ByteString; readonly bytes: number; readonly type: string }

/** Of what is written above, and no other tar; undefined at the end. */
function parseHeader(block: Uint8Array): Header | undefined {
  const text = toByteString(block)
  if (text.charCodeAt(0) === 0) return undefined
  const bytes = Number.parseInt(text.slice(124, 135), 8)
  if (!(bytes >= 0)) throw new RangeError('a member of no size')
  return { name: text.slice(0, NAME_BYTES).replace(/\0+$/, ''), bytes, type: text.charAt(156) }
}

function parsePax(records: ByteString): ReadonlyMap<string, ByteString> {
  const values = new Map<string, ByteString>()
  for (let at = 0; at < records.length; ) {
    const length = Number.parseInt(records.slice(at), 10)
    const record = records.slice(at, at + length)
    const equals = record.indexOf('=')
    if (!(length > 0) || equals < 0) throw new RangeError('a damaged record')
    values.set(record.slice(record.indexOf(' ') + 1, equals), record.slice(equals + 1, -1))
    at += length
  }
  return values
}

async function readPadded(input: BlockReader, bytes: number): Promise<Uint8Array> {
  const padded = await input.read(bytes + paddingOf(bytes))
  return padded.subarray(0, bytes)
}

/** Reads so many bytes at a time, however they come. */
class BlockReader {
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>
  #chunk: Uint8Array = new Uint8Array(0)
  /** Of the object: nothing in it is larger. */
  #left: number

  constructor({ size, body }: StoredObject) {
    this.#reader = body.getReader()
    this.#left = size
  }

  async read(bytes: number): Promise<Uint8Array> {
    this.#left -= bytes
    if (this.#left < 0) throw new RangeError('the object ends too early')
    const taken = new Uint8Array(bytes)
    for (let filled = 0; filled < bytes; ) {
      if (this.#chunk.length === 0) {
        const { value } = await this.#reader.read()
        if (value === undefined) throw new RangeError('the object ends too early')
        this.#chunk = value
      }
      const piece = this.#chunk.subarray(0, bytes - filled)
      taken.set(piece, filled)
      filled += piece.length
      this.#chunk = this.#chunk.subarray(piece.length)
    }
    return taken
  }

  async cancel(): Promise<void> {
    await this.#reader.cancel()
  }
}
