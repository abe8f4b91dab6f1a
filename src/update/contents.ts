/**
 * What the pulled layers of an update contain: files that the old image already shows at the same path, those that it shows
 * elsewhere, and what is new. One pass over the layers' tables joined with the old image's; contents at other paths are found by
 * sorting their digests.
 */
import type { ObjectStore } from '../host.ts'
import { type Entry, sortKey } from '../layer/entry.ts'
import { int32, int64, path, sha256 } from '../table/column.ts'
import { SortedRows } from '../table/external-sort.ts'
import { Largest } from '../table/largest.ts'
import { type Batches, byText, Merge } from '../table/merge.ts'
import { defineSchema } from '../table/schema.ts'
import { type ByteString, compareText } from '../text/bytes.ts'
import type { PathKey } from '../text/path.ts'

/** Regular files and their bytes. */
export type FileSum = { readonly files: number; readonly bytes: number }

/** Why a file is stored again although the old image shows the same content at its path. */
export type RewriteCause = 'owner' | 'mode' | 'times' | 'same'

export type LayerContents = {
  readonly rewritten: FileSum
  /** Shown by the old image at other paths only; never an empty file. */
  readonly moved: FileSum
  readonly new: FileSum
  readonly byCause: Readonly<Record<RewriteCause, FileSum>>
}

/** A new file, named like an archive, at a path where the old image shows another file. */
export type ArchiveCandidate = { readonly key: PathKey; readonly layer: number; readonly bytes: number }

export type PulledContents = {
  /** By the layer's index. */
  readonly layers: ReadonlyMap<number, LayerContents>
  /** The 20 largest, largest first. */
  readonly archives: readonly ArchiveCandidate[]
}

/** The columns of a layer's table, and of the merged file system, that are compared. */
export const COMPARED_COLUMNS = [
  'key',
  'type',
  'bytes',
  'mode',
  'uid',
  'gid',
  'mtime',
  'xattrs',
  'whiteout',
  'sha256',
] as const satisfies readonly (keyof Entry)[]

export type ComparedEntry = Pick<Entry, (typeof COMPARED_COLUMNS)[number]>

export type PulledLayer = {
  readonly index: number
  /** The layer's members, sorted by (sortKey, ordinal). */
  readonly members: Batches<ComparedEntry>
}

/** The merged file system of the old image; both are sorted by path. */
export type OldImage = {
  readonly rows: Batches<ComparedEntry>
  /** The same table again; read only if contents must be looked up by digest. */
  readonly contents: () => Batches<Pick<ComparedEntry, 'type' | 'bytes' | 'sha256'>>
}

const ARCHIVE_NAME = /\.(?:jar|war|ear|hpi|jpi|zip|whl|nupkg|egg)$/
const MAX_ARCHIVES = 20
const BATCH = 1000
/** Marks contents of the old image among the pulled layers' files. */
const OLD = -1

/** A file that may be moved, or a content of the old image. */
type Content = {
  readonly sha256: ByteString
  /** Index of the layer, or `OLD`. */
  readonly layer: number
  readonly bytes: number
  /** Of an archive that the old image has in another version; else empty. */
  readonly archive: PathKey
}

const CONTENTS = defineSchema<Content>({
  sha256: sha256('sha256'),
  layer: int32('layer'),
  bytes: int64('bytes'),
  archive: path('archive'),
})

type Tally = { files: number; bytes: number }

class LayerTally implements LayerContents {
  readonly rewritten: Tally = { files: 0, bytes: 0 }
  readonly moved: Tally = { files: 0, bytes: 0 }
  readonly new: Tally = { files: 0, bytes: 0 }
  readonly byCause: Record<RewriteCause, Tally> = {
    owner: { files: 0, bytes: 0 },
    mode: { files: 0, bytes: 0 },
    times: { files: 0, bytes: 0 },
    same: { files: 0, bytes: 0 },
  }
}

/** Which digests have been added, with false positives: an eighth of a million digests leaves 3 % of them. */
class DigestFilter {
  readonly #bits = new Uint32Array(1 << 17)

  add(digest: ByteString): void {
    const bit = this.#bitOf(digest)
    this.#bits[bit >>> 5] = (this.#bits[bit >>> 5] ?? 0) | (1 << (bit & 31))
  }

  has(digest: ByteString): boolean {
    const bit = this.#bitOf(digest)
    return ((this.#bits[bit >>> 5] ?? 0) & (1 << (bit & 31))) !== 0
  }

  #bitOf(digest: ByteString): number {
    return ((digest.charCodeAt(0) << 14) ^ (digest.charCodeAt(1) << 7) ^ digest.charCodeAt(2)) & 0x3f_ffff
  }
}

/** Adds up one update. */
class ContentsComparison {
  readonly #layers: ReadonlyMap<number, LayerTally>
  readonly #contents: SortedRows<Content>
  readonly #filter = new DigestFilter()
  readonly #archives = new Largest<ArchiveCandidate, string>(MAX_ARCHIVES)
  #batch: Content[] = []
  #searched = 0

  constructor(store: ObjectStore, layers: readonly PulledLayer[]) {
    this.#layers = new Map(layers.map(({ index }) => [index, new LayerTally()]))
    this.#contents = new SortedRows(store, {
      schema: CONTENTS,
      compare: (a, b) => compareText(a.sha256, b.sha256) || a.layer - b.layer,
      weigh: ({ archive }) => archive.length,
    })
  }

  /** @param old the file that the old image shows at the path */
  see(layer: number, member: ComparedEntry, old: ComparedEntry | undefined): void {
    const tally = this.#layers.get(layer)
    if (tally === undefined) return
    const { sha256 = '', bytes } = member
    if (old !== undefined && old.sha256 === sha256) {
      add(tally.rewritten, bytes)
      add(tally.byCause[rewriteCause(old, member)], bytes)
    } else if (bytes === 0) {
      add(tally.new, bytes)
    } else {
      const archive = old !== undefined && ARCHIVE_NAME.test(member.key) ? member.key : ''
      this.#filter.add(sha256)
      this.#batch.push({ sha256, layer, bytes, archive })
      this.#searched++
    }
  }

  get isFull(): boolean {
    return this.#batch.length >= BATCH
  }

  async flush(): Promise<void> {
    const batch = this.#batch
    this.#batch = []
    await this.#contents.addAll(batch)
  }

  async finish(old: OldImage): Promise<PulledContents> {
    await this.flush()
    if (this.#searched > 0) await this.#search(old)
    return { layers: this.#layers, archives: this.#archives.sorted().map(({ item }) => item) }
  }

  async delete(): Promise<void> {
    await this.#contents.delete()
  }

  async #search(old: OldImage): Promise<void> {
    for await (const rows of old.contents()) {
      for (const { type, bytes, sha256 = '' } of rows) {
        if (type !== 'file' || bytes === 0 || !this.#filter.has(sha256)) continue
        this.#batch.push({ sha256, layer: OLD, bytes, archive: '' })
      }
      if (this.isFull) await this.flush()
    }
    await this.flush()
    let known: ByteString | undefined
    for await (const contents of this.#contents.sorted()) {
      for (const content of contents) {
        if (content.layer === OLD) known = content.sha256
        else this.#place(content, content.sha256 === known)
      }
    }
  }

  #place({ layer, bytes, archive }: Content, isMoved: boolean): void {
    const tally = this.#layers.get(layer)
    if (tally === undefined) return
    add(isMoved ? tally.moved : tally.new, bytes)
    if (isMoved || archive === '') return
    const tie = `${archive}\0${String(layer).padStart(4, '0')}`
    this.#archives.add(bytes, tie, () => ({ key: archive, layer, bytes }))
  }
}

function add(tally: Tally, bytes: number): void {
  tally.files++
  tally.bytes += bytes
}

function rewriteCause(old: ComparedEntry, member: ComparedEntry): RewriteCause {
  if (old.uid !== member.uid || old.gid !== member.gid) return 'owner'
  if (old.mode !== member.mode || !hasSameXattrs(old.xattrs, member.xattrs)) return 'mode'
  return old.mtime === member.mtime ? 'same' : 'times'
}

function hasSameXattrs(a: Entry['xattrs'], b: Entry['xattrs']): boolean {
  if ((a?.size ?? 0) !== (b?.size ?? 0)) return false
  return [...(a ?? [])].every(([name, value]) => b?.get(name) === value)
}

/**
 * Classifies every regular file that the pulled layers store, whether or not a later layer hides it; hard links have no bytes
 * and do not count.
 *
 * @param store for the temporary runs of the sort
 * @param layers those that are pulled and not only repacked
 */
export async function compareContents(
  store: ObjectStore,
  old: OldImage,
  layers: readonly PulledLayer[],
): Promise<PulledContents> {
  if (layers.length === 0) return { layers: new Map(), archives: [] }
  const comparison = new ContentsComparison(store, layers)
  const sources: Batches<ComparedEntry>[] = [old.rows, ...layers.map(({ members }) => members)]
  const merge = new Merge<ComparedEntry, string>(sources, byText(sortKey))
  try {
    await merge.open()
    let shown: ComparedEntry | undefined
    for (let top = merge.top; top !== undefined; top = merge.top) {
      const { row, source, key } = top
      if (source === 0) shown = row.type === 'file' ? row : undefined
      else if (row.type === 'file' && row.whiteout === undefined) {
        const layer = layers[source - 1]?.index ?? OLD
        comparison.see(layer, row, shown?.key === key ? shown : undefined)
        if (comparison.isFull) await comparison.flush()
      }
      const reading = merge.next()
      if (reading !== undefined) await reading
    }
    return await comparison.finish(old)
  } finally {
    await merge.close()
    await comparison.delete()
  }
}
