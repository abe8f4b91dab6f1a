/**
 * What the pulled layers of an update contain: files that the old image already shows at the same path, those that it shows
 * elsewhere, and what is new. One pass over the layers' tables joined with the old image's, and one over the old image's digests
 * for contents that may be at other paths.
 */
import { type Entry, FILE_COLUMNS, sortKey } from '../layer/entry.ts'
import { Largest } from '../table/largest.ts'
import { type Batches, byText, Merge } from '../table/merge.ts'
import type { PathKey } from '../text/path.ts'
import { type Candidate, Candidates } from './candidates.ts'

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
export const COMPARED_COLUMNS = [...FILE_COLUMNS, 'bytes', 'mtime', 'whiteout'] as const

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
  readonly contents: () => Batches<Pick<ComparedEntry, 'sha256'>>
}

const ARCHIVE_NAME = /\.(?:jar|war|ear|hpi|jpi|zip|whl|nupkg|egg)$/
const MAX_ARCHIVES = 20

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

/** Adds up one update. */
class ContentsComparison {
  readonly #layers: ReadonlyMap<number, LayerTally>
  readonly #old: OldImage
  readonly #candidates = new Candidates()
  readonly #archives = new Largest<ArchiveCandidate, string>(MAX_ARCHIVES)

  constructor(old: OldImage, layers: readonly PulledLayer[]) {
    this.#old = old
    this.#layers = new Map(layers.map(({ index }) => [index, new LayerTally()]))
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
      const archive = old !== undefined && ARCHIVE_NAME.test(member.key) ? member.key : undefined
      this.#candidates.add(sha256, { layer, bytes, archive })
    }
  }

  get isFull(): boolean {
    return this.#candidates.isFull
  }

  /** Looks for the contents of the candidates so far anywhere in the old image. */
  async search(): Promise<void> {
    if (this.#candidates.count === 0) return
    for await (const rows of this.#old.contents()) {
      for (const { sha256 } of rows) if (sha256 !== undefined) this.#candidates.see(sha256)
    }
    for (const candidate of this.#candidates.take()) this.#count(candidate)
  }

  result(): PulledContents {
    return { layers: this.#layers, archives: this.#archives.sorted().map(({ item }) => item) }
  }

  #count({ layer, bytes, archive, isMoved }: Candidate): void {
    const tally = this.#layers.get(layer)
    if (tally === undefined) return
    add(isMoved ? tally.moved : tally.new, bytes)
    if (isMoved || archive === undefined) return
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
 * @param layers those that are pulled and not only repacked
 */
export async function compareContents(
  old: OldImage,
  layers: readonly PulledLayer[],
): Promise<PulledContents> {
  const comparison = new ContentsComparison(old, layers)
  if (layers.length === 0) return comparison.result()
  const sources: Batches<ComparedEntry>[] = [old.rows, ...layers.map(({ members }) => members)]
  const merge = new Merge<ComparedEntry, string>(sources, byText(sortKey))
  try {
    await merge.open()
    let shown: ComparedEntry | undefined
    for (let top = merge.top; top !== undefined; top = merge.top) {
      const { row, source, key } = top
      const layer = layers[source - 1]?.index
      if (layer === undefined) shown = row.type === 'file' ? row : undefined
      else if (row.type === 'file' && row.whiteout === undefined) {
        comparison.see(layer, row, shown?.key === key ? shown : undefined)
        if (comparison.isFull) await comparison.search()
      }
      const reading = merge.next()
      if (reading !== undefined) await reading
    }
    await comparison.search()
    return comparison.result()
  } finally {
    await merge.close()
  }
}
