/** Builds an image's index from those of its layers: its merged file system and, last, the rest. */

import { inParallel } from '../concurrency.ts'
import type { ObjectStore } from '../host.ts'
import { databasesIn } from '../index/databases.ts'
import { BRIEF_ENTRIES, type BriefEntry, ENTRIES } from '../index/entries.ts'
import { imageKey, layerKey, markerOf } from '../index/keys.ts'
import type { Entry } from '../layer/entry.ts'
import { type ImageConfig, nonEmptyHistory } from '../oci/config.ts'
import { HeldTails } from '../table/held-tails.ts'
import type { TableStore } from '../table/part.ts'
import type { Schema } from '../table/schema.ts'
import { LostTable, openTable, type Table } from '../table/table.ts'
import { writeTable } from '../table/write-table.ts'
import { DirectoryFinder } from './directories.ts'
import { type Copy, Duplicates } from './duplicates.ts'
import { DiveEfficiency, diveFigures } from './efficiency.ts'
import { countPackages, countsOf, type ImageLayer, layerReports, sizesOf } from './facts.ts'
import { CollectedLinks, type HardLinks, resolveHardLinks } from './hard-links.ts'
import { writeAnalysed } from './image.ts'
import { LargestPaths } from './largest.ts'
import { Merger } from './merge.ts'
import type { MergedEntry } from './merged-entry.ts'
import { MERGED_ENTRIES } from './merged-entry.ts'
import type { Inventory } from './packages/inventory.ts'
import { ShownDatabases } from './packages/shown-databases.ts'
import { type ReadAgain, readInventory } from './packages/stored-inventory.ts'
import { RepeatedContents } from './repeated-contents.ts'
import type { BuildTools, Efficiency, ImageFacts, Package } from './report.ts'
import { memberSequence } from './sequence.ts'
import { type LayerRows, type PathRows, type PathVisitor, walk } from './walk.ts'
import { WasteFinder } from './waste.ts'

export type ImageSource = {
  /** The name of the image's index. */
  readonly index: string
  readonly config: ImageConfig
  /** From the lowest layer up; all are indexed. */
  readonly layers: readonly ImageLayer[]
  /**
   * Reads members of a layer's blob again: a hard link can name as a package database what a lower layer has under another
   * name. Without this, such a database gives a warning.
   */
  readonly readAgain?: ReadAgain | undefined
  /** Layers known from their content although their tables of contents were asked for. */
  readonly unusedTables: readonly number[]
}

/** How many rows, files and directories the merge passes on at once. */
const STEP = 2000

/** How many bytes of all tables together are kept in memory. */
const HELD_BYTES = 4 * 1024 * 1024
/** How many bytes of one table are. */
const MOST_HELD = 1024 * 1024
/** How many layers' tables are opened at the same time. */
const OPENED_AT_ONCE = 16
/** How many layers are read in parallel, each completely, before they are merged. */
const SURVEYED_AT_ONCE = 4

/** Surveys the layers before they are merged, member by member. */
async function survey(layers: readonly LayerRows<BriefEntry>[], members: number): Promise<Survey> {
  const links = new CollectedLinks()
  const contents = new RepeatedContents(members)
  await inParallel([...layers.entries()], SURVEYED_AT_ONCE, async ([layer, rows]) => {
    for await (const batch of rows) {
      for (const row of batch) {
        if (isContent(row)) contents.add(row.sha256Start ?? 0)
        else links.see(row, layer)
      }
    }
  })
  return { links, contents }
}

type Survey = { readonly links: CollectedLinks; readonly contents: RepeatedContents }

/** Empty files waste nothing. */
function isContent(entry: Pick<Entry, 'type' | 'bytes' | 'whiteout'>): boolean {
  return entry.type === 'file' && entry.bytes > 0 && entry.whiteout === undefined
}

/** Finds contents in all layers, hidden or not, that may occur more than once. */
class LayerCopies implements PathVisitor {
  readonly #contents: RepeatedContents
  #copies: Copy[] = []

  constructor(contents: RepeatedContents) {
    this.#contents = contents
  }

  take(): readonly Copy[] {
    const copies = this.#copies
    this.#copies = []
    return copies
  }

  enter(): void {}

  leave(): void {}

  visit({ rows, count }: PathRows): void {
    for (let i = 0; i < count; i++) {
      const row = rows[i]
      if (row === undefined || !isContent(row)) continue
      const { sha256 = '' } = row
      if (this.#contents.has(sha256)) this.#copies.push({ sha256, bytes: row.bytes, key: row.key })
    }
  }
}

/** The layers' tables, and what the survey found in them. */
type Surveyed = {
  /** For reading them, and what is stored with them. */
  readonly tails: TableStore
  readonly tables: readonly Table<Entry>[]
  readonly links: HardLinks
  readonly contents: RepeatedContents
}

/** What is found out between the merge and the small tables. */
type Found = {
  readonly inventory: Inventory
  readonly packages: readonly Package[]
  readonly efficiency: Efficiency
}

/** Writes one image's tables, step by step. */
class ImageWriter {
  readonly #store: ObjectStore
  readonly #tails: TableStore
  readonly #source: ImageSource
  readonly #tables: readonly Table<Entry>[]
  readonly #merger: Merger
  readonly #dive: DiveEfficiency
  readonly #contents: RepeatedContents
  readonly #layerCopies: LayerCopies
  readonly #duplicates: Duplicates
  readonly #layerDuplicates: Duplicates
  readonly #waste: WasteFinder
  readonly #directories: DirectoryFinder
  readonly #databases = new ShownDatabases()
  readonly #largest = new LargestPaths()
  /** Inodes are numbered in the order of first appearance: a number that is not greater was seen before. */
  #lastInode = 0

  private constructor(store: ObjectStore, source: ImageSource, { tails, tables, links, contents }: Surveyed) {
    this.#store = store
    this.#tails = tails
    this.#source = source
    this.#tables = tables
    this.#merger = new Merger(links)
    this.#dive = new DiveEfficiency(tables.length)
    this.#contents = contents
    this.#layerCopies = new LayerCopies(contents)
    this.#duplicates = new Duplicates(store)
    this.#layerDuplicates = new Duplicates(store)
    this.#waste = new WasteFinder(store, tables.length)
    this.#directories = new DirectoryFinder(store)
  }

  static async open(store: ObjectStore, source: ImageSource): Promise<ImageWriter> {
    // A layer may be listed again and again. One more is for the merged files.
    const tableCount = new Set(source.layers.map(({ index }) => index)).size + 1
    const tails = new HeldTails(store, Math.min(MOST_HELD, Math.floor(HELD_BYTES / tableCount)))
    const tables = await inParallel(source.layers, OPENED_AT_ONCE, ({ index }) => openLayer(tails, index))
    const members = tables.reduce((all, table) => all + table.rowCount, 0)
    const brief = tables.map((table) => table.as(BRIEF_ENTRIES))
    const { links, contents } = await survey(rowsOf(brief, SURVEYED_AT_ONCE), members)
    const resolved = await resolveHardLinks(links, () => rowsOf(tables))
    return new ImageWriter(store, source, { tails, tables, links: resolved, contents })
  }

  /** @throws LostTable if another removed a table meanwhile */
  async write(): Promise<ImageFacts> {
    const { index } = this.#source
    const files = imageKey(index, 'files.parquet')
    await writeTable(this.#store, files, MERGED_ENTRIES, this.#merge())
    const inventory = await this.#readInventory()
    const packages = inventory.packages()
    const efficiency = await diveFigures(this.#dive, () => this.#rows())
    const { promise, resolve } = Promise.withResolvers<ImageFacts>()
    await writeAnalysed(this.#store, index, {
      packages,
      tables: {
        directories: () => this.#directories.table(index),
        waste: () => this.#waste.table(index, (file) => this.#merger.wasteOf(file)),
        duplicates: () => this.#duplicates.table(index, 'duplicates'),
        layerDuplicates: () => this.#layerDuplicates.table(index, 'layerDuplicates'),
      },
      facts: () => {
        const facts = this.#facts({ inventory, packages, efficiency })
        resolve(facts)
        return facts
      },
    })
    // A source that is being deleted may take the table with it, if this one was recorded too late.
    if (!(await this.#store.has(files))) throw new LostTable(files, 'missing')
    return promise
  }

  /** Temporary objects, including those of a failed merge. */
  async close(): Promise<void> {
    await this.#waste.delete()
    await this.#directories.delete()
    await this.#duplicates.delete()
    await this.#layerDuplicates.delete()
  }

  /** The walk that finds nearly everything. */
  async *#merge(): AsyncGenerator<readonly MergedEntry[]> {
    const merger = this.#merger
    const visitors = [merger, this.#dive, this.#layerCopies]
    for await (const _ of walk(this.#rows(), visitors, () => merger.waiting >= STEP)) yield await this.#take()
    yield await this.#take()
  }

  async #take(): Promise<readonly MergedEntry[]> {
    await this.#waste.add(this.#merger.takeHidden())
    await this.#directories.add(this.#merger.takeDirectories())
    await this.#layerDuplicates.add(this.#layerCopies.take())
    const rows = this.#merger.takeRows()
    const copies: Copy[] = []
    for (const row of rows) {
      this.#databases.see(row)
      if (row.type === 'file') this.#seeFile(row, copies)
    }
    await this.#duplicates.add(copies)
    return rows
  }

  #seeFile(row: MergedEntry, copies: Copy[]): void {
    const { key, bytes, layer, inode = 0, sha256 = '' } = row
    this.#largest.add({ key, bytes, layer })
    if (inode <= this.#lastInode) return
    this.#lastInode = inode
    if (bytes > 0 && this.#contents.has(sha256)) copies.push({ key, bytes, sha256 })
  }

  /** To be called when all tables are made. */
  #facts({ inventory, packages, efficiency }: Found): ImageFacts {
    const { layers, config } = this.#source
    const { totals } = this.#merger
    const { waste, bytesByLayer } = this.#waste.totals
    return {
      size: sizesOf(layers, totals),
      counts: countsOf(layers, totals),
      layers: layerReports(layers, nonEmptyHistory(config), bytesByLayer),
      waste,
      duplicates: this.#duplicates.totals,
      efficiency,
      largestFiles: this.#largest.list(),
      largestDirectories: this.#directories.largest(),
      packages: {
        ...countPackages(packages),
        ...ownedOf(inventory.ownedBytes, totals.rootfsBytes),
        ...buildToolsFact(inventory.buildTools()),
      },
      warnings: this.#warnings(inventory).list(),
    }
  }

  #readInventory(): Promise<Inventory> {
    const { readAgain } = this.#source
    const layers = this.#source.layers.map(({ index, facts }) => ({ ...databasesIn(facts), index }))
    const files = () => openStored(this.#tails, imageKey(this.#source.index, 'files.parquet'), MERGED_ENTRIES)
    return readInventory({ store: this.#tails, layers, files, readAgain }, this.#databases)
  }

  #warnings(inventory: Inventory): Merger['warnings'] {
    const { warnings } = this.#merger
    for (const [layer, { facts, verified }] of this.#source.layers.entries()) {
      for (const { code, key, count } of facts.warnings)
        warnings.add(code, memberSequence(layer, 0), key, count)
      if (verified === 'contents-table') warnings.add('notExamined', memberSequence(layer, 0))
    }
    for (const [code, places] of [
      ['unreadableDatabase', inventory.unread],
      ['unreadableArchive', inventory.unreadableArchives],
      ['examinedTooLarge', inventory.leftOut],
    ] as const)
      for (const { layer, key, count } of places) warnings.add(code, memberSequence(layer, 0), key, count)
    for (const layer of this.#source.unusedTables) warnings.add('tableNotUsed', memberSequence(layer, 0))
    return warnings
  }

  #rows(): readonly LayerRows[] {
    return rowsOf(this.#tables)
  }
}

/** How many bytes are fetched of all tables together; as many again are prefetched. */
const FETCH_BYTES = 4 * 1024 * 1024
/** How many bytes are fetched of one table at once. */
const MOST_FETCHED = 512 * 1024
/** Prefetching for more tables than this would take too much memory. */
const MOST_AHEAD = 32

/** @param atOnce how many of them are read at the same time */
function rowsOf<Row>(tables: readonly Table<Row>[], atOnce = tables.length): readonly LayerRows<Row>[] {
  const ahead = atOnce > MOST_AHEAD ? 'none' : 'next'
  const fetchBytes = Math.min(MOST_FETCHED, FETCH_BYTES / atOnce)
  return tables.map((table) => table.rows({ ahead, fetchBytes }))
}

function openLayer(store: TableStore, index: string): Promise<Table<Entry>> {
  return openStored(store, layerKey(index, 'entries.parquet'), ENTRIES)
}

async function openStored<Row>(store: TableStore, key: string, schema: Schema<Row>): Promise<Table<Row>> {
  const table = await openTable(store, key, schema)
  if (table === undefined) throw new LostTable(key, 'missing')
  return table
}

function ownedOf(
  ownedBytes: number,
  rootfsBytes: number,
): Pick<ImageFacts['packages'], 'ownedBytes' | 'ownedPercent'> {
  return { ownedBytes, ownedPercent: rootfsBytes === 0 ? 0 : (100 * ownedBytes) / rootfsBytes }
}

function buildToolsFact(buildTools: BuildTools | undefined): Pick<ImageFacts['packages'], 'buildTools'> {
  return buildTools === undefined ? {} : { buildTools }
}

/**
 * Merges the layers of an image, all indexed, into the image's own index: first the merged file system, then the rest, without
 * which it is not served.
 *
 * @throws LostTable if a layer's index is missing or damaged: that layer then counts as not indexed; Problem `too_large` if a
 *   part of it is unreasonably large
 */
export async function writeImage(store: ObjectStore, source: ImageSource): Promise<ImageFacts> {
  try {
    return await write(store, source)
  } catch (error) {
    if (error instanceof LostTable) await store.delete(markerOf(error.key))
    throw error
  }
}

async function write(store: ObjectStore, source: ImageSource): Promise<ImageFacts> {
  const writer = await ImageWriter.open(store, source)
  try {
    return await writer.write()
  } finally {
    await writer.close()
  }
}
