/**
 * An image's merged file system as a tar, streamed: first directories from the table, then the contents in one pass over each
 * layer that still shows any, then links and devices. Memory holds one bit for each member of a layer, and as many hard-linked
 * rows as fit: the rest are sorted in the store.
 */
import type { Limits } from '../configuration.ts'
import type { ObjectStore, WasmModules } from '../host.ts'
import { MERGED_ENTRIES, MERGED_ROWS, type MergedEntry } from '../image/merged-entry.ts'
import { byteLimit } from '../layer/limits.ts'
import { readTar } from '../layer/tar.ts'
import type { Descriptor } from '../oci/manifest.ts'
import { Problem } from '../problem.ts'
import { SortedRows } from '../table/external-sort.ts'
import { plainRow, type Table } from '../table/table.ts'
import { TarScanner } from '../tar/scan.ts'
import type { WrittenMember, WrittenType } from '../tar/write.ts'
import { isWithin, keyToPath, type PathKey, showPath } from '../text/path.ts'
import { Survivors } from './survivors.ts'
import { TarOutput } from './tar-output.ts'

/** All paths that are written, in path order; read twice. */
export type Rows = () => AsyncIterable<readonly MergedEntry[]>

export type Rootfs = {
  readonly store: ObjectStore
  readonly limits: Limits
  readonly wasm: WasmModules
  readonly rows: Rows
  /** From the lowest layer up. */
  readonly layers: readonly Descriptor[]
  readonly openBlob: (layer: Descriptor) => Promise<ReadableStream<Uint8Array>>
  /** Times of directories that no layer names, in microseconds since 1970. */
  readonly implicitTime: number
  readonly signal?: AbortSignal | undefined
}

/** Before each path. */
export type Prefix = '' | 'rootfs/'

/**
 * Marks the first directory: tells GNU tar that directories come before their content, as in its incremental archives, so that
 * it sets their times at the end. Other readers do so anyway.
 */
const DIRECTORIES_FIRST: ReadonlyMap<string, string> = new Map([['GNU.dumpdir', '\0']])

/** How many bytes of a table are fetched at once. */
export const FETCH_BYTES = 512 * 1024

/**
 * @param within only this path and what is below it; the root means everything
 * @throws Problem `path_not_found` once it is read, if the image has nothing there
 */
export function filesWithin(files: Table<MergedEntry>, within: PathKey): Rows {
  return async function* () {
    let isFound = within === ''
    for await (const rows of files.rows({ ...files.within(within), fetchBytes: FETCH_BYTES })) {
      const wanted = within === '' ? rows : rows.filter((row) => isWithin(row.key, within))
      isFound ||= wanted.length > 0
      yield wanted
    }
    if (!isFound) throw new Problem('path_not_found', `${showPath(within).path} does not exist in the image`)
  }
}

/**
 * The members, without the end of the archive. A failure in the middle is thrown: the tar is then incomplete.
 *
 * @throws Problem `invalid_image` if the registry sends other bytes than were indexed; what the rows, the store and the blobs
 *   fail with
 */
export async function* writeRootfs(rootfs: Rootfs, prefix: Prefix): AsyncGenerator<Uint8Array> {
  const writer = new RootfsWriter(rootfs, prefix)
  try {
    yield* writer.directories()
    yield* writer.contents()
    yield* writer.others()
    yield* writer.output.finish()
  } finally {
    await writer.delete()
  }
}

class RootfsWriter {
  readonly output = new TarOutput()
  readonly #rootfs: Rootfs
  readonly #prefix: Prefix
  readonly #survivors = new Survivors()
  readonly #linked: SortedRows<MergedEntry>
  #isFirst = true

  constructor(rootfs: Rootfs, prefix: Prefix) {
    this.#rootfs = rootfs
    this.#prefix = prefix
    this.#linked = new SortedRows(rootfs.store, {
      schema: MERGED_ROWS,
      compare: byMember,
      weigh: ({ key, link = '' }) => key.length + link.length,
    })
  }

  async delete(): Promise<void> {
    await this.#linked.delete()
  }

  /** Writes the directories, and notes which members of which layers the image shows. */
  async *directories(): AsyncGenerator<Uint8Array> {
    for await (const rows of this.#rootfs.rows()) {
      const linked: MergedEntry[] = []
      for (const row of rows) {
        if (row.type === 'directory') this.#openDirectory(row)
        else if (row.type === 'other') continue
        else if (row.linked) linked.push(plainRow(MERGED_ENTRIES, row))
        else if (row.type === 'file') this.#survivors.add(row.layer, row.ordinal)
      }
      await this.#linked.addAll(linked)
      yield* this.output.take()
    }
    // Sends the first bytes before the first layer is requested.
    yield* this.output.finish()
  }

  /** Writes the files of each layer in the layer's own order; each hard link follows the file that it links to. */
  async *contents(): AsyncGenerator<Uint8Array> {
    const linked = new LinkedRows(this.#linked.sorted())
    await linked.next()
    for (const [layer, descriptor] of this.#rootfs.layers.entries()) {
      yield* this.#linksToOthers(linked)
      if (!this.#survivors.hasAny(layer) && linked.head?.layer !== layer) continue
      yield* this.#layer(layer, descriptor, linked)
    }
    yield* this.#linksToOthers(linked)
    if (linked.head !== undefined) throw mismatch(linked.head.layer)
  }

  /** Writes symbolic links, devices and pipes. */
  async *others(): AsyncGenerator<Uint8Array> {
    for await (const rows of this.#rootfs.rows()) {
      for (const row of rows) {
        if (row.linked || row.type === 'directory' || row.type === 'file' || row.type === 'other') continue
        this.#open(row, writtenType(row))
      }
      yield* this.output.take()
    }
  }

  async *#layer(layer: number, descriptor: Descriptor, linked: LinkedRows): AsyncGenerator<Uint8Array> {
    const { limits, wasm, openBlob, signal } = this.#rootfs
    const scanner = new TarScanner({ bytes: byteLimit(limits), entries: limits.entries })
    const blob = await openBlob(descriptor)
    let isShown = false
    for await (const chunk of readTar({ blob, descriptor, limits, wasm, signal })) {
      scanner.feed(chunk)
      for (let event = scanner.next(); event !== 'hungry'; event = scanner.next()) {
        const { member } = scanner
        const isLinked = linked.isAt(layer, member.ordinal)
        if (event === 'member') {
          isShown = isLinked || this.#survivors.has(layer, member.ordinal)
          if (!isShown) continue
          if (member.type !== 'file') throw mismatch(layer)
          this.#open(isLinked ? (linked.head ?? member) : member, 'file')
        } else if (event === 'content' && isShown) {
          this.output.write(scanner.content)
        } else if (event === 'end' && isLinked) {
          yield* this.#links(linked)
          yield* this.#linksToOthers(linked)
        }
      }
      yield* this.output.take()
    }
    scanner.finish()
    if (linked.head?.layer === layer) throw mismatch(layer)
  }

  /** Writes the remaining rows of the current member, which is written already, as hard links to it. */
  async *#links(linked: LinkedRows): AsyncGenerator<Uint8Array> {
    const { head } = linked
    if (head === undefined) return
    const link = this.#path(head)
    for (await linked.next(); linked.isAt(head.layer, head.ordinal); await linked.next()) {
      const row = linked.head
      if (row !== undefined) this.#open({ ...row, bytes: 0, link, device: undefined }, 'hardlink')
      yield* this.output.take()
    }
  }

  /** Writes the current groups without content: hard links to a symbolic link, a device or a pipe. */
  async *#linksToOthers(linked: LinkedRows): AsyncGenerator<Uint8Array> {
    for (let { head } = linked; head !== undefined && head.type !== 'file'; head = linked.head) {
      this.#open(head, writtenType(head))
      yield* this.#links(linked)
    }
  }

  #openDirectory(row: MergedEntry): void {
    this.#open(row, 'directory', this.#isFirst ? DIRECTORIES_FIRST : undefined)
    this.#isFirst = false
  }

  #open(row: RowFields, type: WrittenType, records?: WrittenMember['records']): void {
    const { bytes, mode, uid, gid, mtime, link, device, xattrs, implicit } = row
    this.output.open({
      path: this.#path(row),
      type,
      bytes: type === 'file' ? bytes : 0,
      mode,
      uid,
      gid,
      mtime: implicit ? this.#rootfs.implicitTime : mtime,
      link: type === 'symlink' || type === 'hardlink' ? link : undefined,
      device,
      xattrs,
      records,
    })
  }

  #path({ key }: { readonly key: PathKey }): string {
    return this.#prefix + keyToPath(key)
  }
}

type RowFields = Omit<WrittenMember, 'path' | 'type' | 'records'> & {
  readonly key: PathKey
  readonly implicit?: boolean | undefined
}

/** Rows that share a member are adjacent, in path order. */
function byMember(a: MergedEntry, b: MergedEntry): number {
  return a.layer - b.layer || a.ordinal - b.ordinal || (a.key < b.key ? -1 : 1)
}

function writtenType({ type }: MergedEntry): WrittenType {
  if (type === 'other') throw new Error('a member of an unknown type cannot be written')
  return type
}

function mismatch(layer: number): Problem {
  return new Problem('invalid_image', `the registry's layer ${layer} is not the one that was indexed`, {
    layer,
  })
}

/** Rows one at a time, with the next one known. */
class LinkedRows {
  readonly #batches: AsyncIterator<readonly MergedEntry[]>
  #batch: readonly MergedEntry[] = []
  #at = -1

  constructor(batches: AsyncIterator<readonly MergedEntry[]>) {
    this.#batches = batches
  }

  get head(): MergedEntry | undefined {
    return this.#batch[this.#at]
  }

  isAt(layer: number, ordinal: number): boolean {
    const { head } = this
    return head !== undefined && head.layer === layer && head.ordinal === ordinal
  }

  async next(): Promise<void> {
    this.#at++
    while (this.#at >= this.#batch.length) {
      const { done, value } = await this.#batches.next()
      this.#batch = done ? [] : value
      this.#at = 0
      if (done) return
    }
  }
}
