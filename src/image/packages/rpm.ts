/** An rpm header as stored in the database: rpm's `docs/manual/hregions.md` and `format_header.md` describe the format. */
import { decodeText, toByteString } from '../../text/bytes.ts'
import type { PathKey } from '../../text/path.ts'
import { type FoundPackage, licenseOf, nameText, UnreadableDatabase } from './found.ts'
import { resolvePath } from './paths.ts'

const TAG = {
  name: 1000,
  version: 1001,
  release: 1002,
  epoch: 1003,
  license: 1014,
  architecture: 1022,
  directoryIndexes: 1116,
  baseNames: 1117,
  directoryNames: 1118,
} as const

const INT32 = 4
const STRINGS: readonly number[] = [6, 8, 9] // a string, an array of them, one for each locale

/** Bytes of an entry of the index: tag, type, offset into the data, count. */
const ENTRY_BYTES = 16

/** Limit for one package; the sources of a kernel have some ten thousand. */
const MAX_DIRECTORIES = 100_000

export type RpmPackage = { readonly found: FoundPackage; readonly files: Iterable<PathKey> }

/**
 * Undefined for a signing key (a `gpg-pubkey` is a package in name only), and for bytes that are not a header.
 *
 * @param blob number of index entries and size of the data, each big-endian, then both; without the magic that headers have in
 *   package files
 * @throws UnreadableDatabase for a name that is too long; `files` for too many directories
 */
export function parseRpmHeader(blob: Uint8Array): RpmPackage | undefined {
  const header = new RpmHeader(blob)
  const [name] = header.strings(TAG.name)
  const [version] = header.strings(TAG.version)
  const [release] = header.strings(TAG.release)
  if (!name || !version || !release || name === 'gpg-pubkey') return
  const [epoch] = header.integers(TAG.epoch)
  const [architecture] = header.strings(TAG.architecture)
  const [license] = header.strings(TAG.license)
  const text = `${version}-${release}`
  const found = {
    type: 'rpm',
    name: nameText(name),
    version: nameText(epoch === undefined ? text : `${epoch}:${text}`),
    ...(architecture === undefined ? {} : { architecture: nameText(architecture) }),
    ...licenseOf(license && decodeText(license).text),
  } as const
  return { found, files: { [Symbol.iterator]: () => ownedFiles(header) } }
}

function* ownedFiles(header: RpmHeader): Generator<PathKey> {
  const directories: PathKey[] = []
  for (const name of header.strings(TAG.directoryNames)) {
    if (directories.length === MAX_DIRECTORIES)
      throw new UnreadableDatabase('a package with too many directories')
    directories.push(resolvePath('', name))
  }
  const indexes = header.integers(TAG.directoryIndexes)
  for (const baseName of header.strings(TAG.baseNames)) {
    const directory = directories[indexes.next().value ?? -1]
    if (directory === undefined) return
    yield resolvePath(directory, baseName)
  }
}

class RpmHeader {
  readonly #view: DataView
  readonly #bytes: Uint8Array
  readonly #entries: number
  /** Position of the data in the blob. */
  readonly #start: number

  constructor(blob: Uint8Array) {
    this.#bytes = blob
    this.#view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength)
    const entries = blob.length < 8 ? 0 : this.#view.getUint32(0)
    this.#start = 8 + entries * ENTRY_BYTES
    this.#entries = this.#start > blob.length ? 0 : entries
  }

  *strings(tag: number): Generator<string> {
    const entry = this.#find(tag)
    if (entry === undefined || !STRINGS.includes(entry.type)) return
    let { offset } = entry
    for (let i = 0; i < entry.count; i++) {
      const end = this.#bytes.indexOf(0, offset)
      if (end < 0) return
      yield toByteString(this.#bytes.subarray(offset, end))
      offset = end + 1
    }
  }

  *integers(tag: number): Generator<number, undefined> {
    const entry = this.#find(tag)
    if (entry === undefined || entry.type !== INT32) return
    for (let i = 0; i < entry.count; i++) {
      const offset = entry.offset + 4 * i
      if (offset + 4 > this.#bytes.length) return
      yield this.#view.getUint32(offset)
    }
  }

  #find(tag: number): { type: number; offset: number; count: number } | undefined {
    for (let i = 0; i < this.#entries; i++) {
      const at = 8 + i * ENTRY_BYTES
      if (this.#view.getUint32(at) !== tag) continue
      return {
        type: this.#view.getUint32(at + 4),
        offset: this.#start + this.#view.getUint32(at + 8),
        count: this.#view.getUint32(at + 12),
      }
    }
    return
  }
}
