/**
 * Compacts what a service has stored into a lake: few large sorted files instead of many small ones. Images and layers come
 * in batches, each put in place at once, so that a run that is killed goes on with the batch that it was in; what the lake
 * has is not read again. Files of a partition are merged when there are many of one size, so each row is rewritten a few
 * times at most, however often new images are added.
 */
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { type Database, listOf, quoted } from './duckdb.ts'
import type { LakeFolder } from './folder.ts'
import type { LakeSource } from './source.ts'
import {
  IMAGE_TABLES,
  LAYER_TABLES,
  type LakeTable,
  NAME_TABLES,
  SELECT_CONFIG_DIGESTS,
  SELECT_CONTENTS,
  SELECT_DOCUMENTS,
  SELECT_ENTRIES,
  SELECT_FILES,
  SELECT_IMAGE_LAYERS,
  SELECT_IMAGES,
  SELECT_LABELS,
  SELECT_LAYERS,
  SELECT_NAMES,
  SELECT_PACKAGE_IMAGES,
  SELECT_PACKAGES,
  SELECT_SOURCES,
  TABLES,
  type TableName,
} from './tables.ts'

const IMAGES = 'images/v6/sha256/'
const LAYERS = 'layers/v5/sha256/'
/** What is known only from tables of contents is in a subfolder, and left out. */
const OF_CONTENT = "split_part(key, '/', 5) <> 'toc'"
const LISTED = [IMAGES, LAYERS, 'names/sha256/', 'sources/sha256/', 'manifests/sha256/', 'configs/sha256/']

/** DuckDB before 1.5.7 looks up a SHA-256 BLOB in a bloom filter that was made from other bytes, and does not find it. */
const PARQUET = 'FORMAT parquet, COMPRESSION zstd, WRITE_BLOOM_FILTER false'
/** This many files of similar size are merged into one. */
const MERGED_AT_ONCE = 8
/** How much memory DuckDB uses before it writes to disk. */
const MEMORY = '2GB'
/** Size of a batch of layers: as many as the images of a batch may have. */
const LAYERS_OF_AN_IMAGE = 4
/** How many files of a partition are open at once. */
const OPEN_PARTITIONS = 256

export type LakeOptions = {
  readonly database: Database
  readonly folder: LakeFolder
  readonly source: LakeSource
  /** Images in a batch. */
  readonly batch: number
  readonly tell: (line: string) => void
}

export type Compacted = {
  readonly images: number
  readonly layers: number
  /** Images that have lost some of their tables to a lifecycle rule. */
  readonly skipped: number
}

export async function compact(options: LakeOptions): Promise<Compacted> {
  const lake = new Lake(options)
  await lake.open()
  await lake.list()
  const images = await lake.addImages()
  const layers = await lake.addLayers()
  await lake.addNames()
  await lake.merge()
  return { images, layers, skipped: lake.skipped }
}

class Lake {
  readonly #options: LakeOptions
  /** Distinguishes this run's files from those of other runs. */
  readonly #run = randomBytes(6).toString('hex')
  #files = 0
  #skipped = 0

  constructor(options: LakeOptions) {
    this.#options = options
  }

  get skipped(): number {
    return this.#skipped
  }

  /** Creates each table, even if empty: a reader's pattern must match something. */
  async open(): Promise<void> {
    const { database, folder } = this.#options
    await folder.recover()
    await database.run(`SET memory_limit = '${MEMORY}'`)
    await database.run("SET TimeZone = 'UTC'")
    await database.run(`SET partitioned_write_max_open_files = ${OPEN_PARTITIONS}`)
    for (const table of Object.values(TABLES)) {
      await database.run(`CREATE TEMP TABLE ${table.name} (${table.columns})`)
      if ((await folder.partitions(table.name)).size === 0)
        await this.#writePartition(table, { byte: '00', level: 0, query: `FROM ${table.name}` })
    }
    await folder.commit()
  }

  /** The names of all objects, as a table, and which of them are new. */
  async list(): Promise<void> {
    const { database, folder, source } = this.#options
    const file = join(folder.temporary, 'keys.txt')
    const stream = createWriteStream(file)
    for (const prefix of LISTED) {
      for await (const key of source.keys(prefix)) if (!stream.write(`${key}\n`)) await once(stream, 'drain')
    }
    stream.end()
    await once(stream, 'close')
    await database.run(`CREATE TEMP TABLE keys AS SELECT key FROM read_csv(${quoted(file)},
      columns = {key: 'VARCHAR'}, delim = '\t', quote = '', escape = '', header = false, auto_detect = false)`)
    await database.run(`CREATE TEMP TABLE new_images AS
      SELECT split_part(key, '/', 4) AS image,
             bool_or(ends_with(key, '/files.parquet')) AS has_files
      FROM keys WHERE starts_with(key, '${IMAGES}') AND ${OF_CONTENT}
      GROUP BY image HAVING bool_or(ends_with(key, '/packages.parquet'))`)
    await database.run(
      `DELETE FROM new_images WHERE image IN (SELECT image FROM ${this.#lakeTable('images')})`,
    )
    await database.run(`CREATE TEMP TABLE new_layers AS
      SELECT split_part(key, '/', 4) AS blob
      FROM keys WHERE starts_with(key, '${LAYERS}') AND ${OF_CONTENT}
        AND ends_with(key, '/entries.parquet')`)
    await database.run(`DELETE FROM new_layers WHERE blob IN (SELECT blob FROM ${this.#lakeTable('layers')})`)
  }

  /** @returns how many were added */
  async addImages(): Promise<number> {
    const { batch, tell } = this.#options
    const images = await this.#texts('SELECT image FROM new_images ORDER BY image')
    for (let from = 0; from < images.length; from += batch) {
      await this.#addImages(images.slice(from, from + batch))
      tell(`images: ${Math.min(from + batch, images.length)} of ${images.length}`)
    }
    return images.length - this.#skipped
  }

  async #addImages(images: readonly string[]): Promise<void> {
    const { database, folder } = this.#options
    await database.run(`CREATE OR REPLACE TEMP TABLE batch AS SELECT unnest(${listOf(images)}) AS image`)
    await this.#readLabels()
    await this.#open(images.map((image) => `${IMAGES}${image}/packages.parquet`))
    await this.#fill('images', SELECT_IMAGES)
    // A failed analysis has no files. An image that has lost its files is analysed again when somebody asks.
    await database.run(`DELETE FROM images WHERE failure IS NULL AND image IN (
      SELECT image FROM new_images WHERE NOT has_files)`)
    await this.#fill('image_layers', `SELECT * FROM (${SELECT_IMAGE_LAYERS}) SEMI JOIN images USING (image)`)
    await this.#fill('packages', `SELECT * FROM (${SELECT_PACKAGES}) SEMI JOIN images USING (image)`)
    await this.#fill('package_images', SELECT_PACKAGE_IMAGES)
    const shown = await this.#texts('SELECT image FROM images')
    const whole = await this.#texts('SELECT image FROM images WHERE failure IS NULL ORDER BY image')
    this.#skipped += images.length - shown.length
    await this.#fill(
      'files',
      SELECT_FILES,
      whole.map((image) => `${IMAGES}${image}/files.parquet`),
    )
    await this.#fill('contents', SELECT_CONTENTS)
    for (const name of IMAGE_TABLES) await this.#write(TABLES[name])
    await folder.commit()
  }

  /** What the batch's manifests and configs say, as far as they are stored. */
  async #readLabels(): Promise<void> {
    const { database } = this.#options
    const documents = async (name: string, keys: readonly string[]) => {
      const table = `CREATE OR REPLACE TEMP TABLE ${name}`
      if (keys.length === 0) return database.run(`${table} (hex VARCHAR, document JSON)`)
      await this.#open(keys)
      return database.run(`${table} AS ${SELECT_DOCUMENTS}`)
    }
    /** One object for each digest: whichever source gave it, the bytes are the same. */
    const existing = (folder: string, query: string) =>
      this.#texts(`
        SELECT min(key) FROM keys WHERE split_part(key, '/', 3) IN (${query})
          AND starts_with(key, '${folder}') GROUP BY split_part(key, '/', 3)`)
    await documents('manifests', await existing('manifests/sha256/', 'SELECT image AS hex FROM batch'))
    await database.run(`CREATE OR REPLACE TEMP TABLE image_configs AS ${SELECT_CONFIG_DIGESTS}`)
    await documents(
      'configs',
      await existing('configs/sha256/', 'SELECT DISTINCT config AS hex FROM image_configs'),
    )
    await database.run(`CREATE OR REPLACE TEMP TABLE labels AS ${SELECT_LABELS}`)
  }

  /** @returns how many were added */
  async addLayers(): Promise<number> {
    const { folder, batch, tell } = this.#options
    const layers = await this.#texts('SELECT blob FROM new_layers ORDER BY blob')
    const step = LAYERS_OF_AN_IMAGE * batch
    for (let from = 0; from < layers.length; from += step) {
      const some = layers.slice(from, from + step)
      await this.#open(some.map((blob) => `${LAYERS}${blob}/entries.parquet`))
      await this.#fill('layers', SELECT_LAYERS)
      await this.#fill('entries', SELECT_ENTRIES)
      for (const name of LAYER_TABLES) await this.#write(TABLES[name])
      await folder.commit()
      tell(`layers: ${Math.min(from + step, layers.length)} of ${layers.length}`)
    }
    return layers.length
  }

  async addNames(): Promise<void> {
    const selects = { names: SELECT_NAMES, sources: SELECT_SOURCES }
    for (const name of NAME_TABLES) {
      await this.#fill(name, `${selects[name]} EXCEPT SELECT * EXCLUDE (byte) FROM ${this.#lakeTable(name)}`)
      await this.#write(TABLES[name])
    }
    await this.#options.folder.commit()
  }

  /** Merges many files of similar size into one, partition by partition. */
  async merge(): Promise<void> {
    const { folder } = this.#options
    for (const table of Object.values(TABLES)) {
      for (const [byte, files] of await folder.partitions(table.name)) {
        const levels = Map.groupBy(files, levelOf)
        for (let level = 0; level <= Math.max(...levels.keys()); level++) {
          const merged = levels.get(level) ?? []
          if (merged.length < MERGED_AT_ONCE) continue
          const paths = listOf(merged.map((file) => folder.path(file)))
          const query = `FROM read_parquet(${paths}, hive_partitioning = false) ORDER BY ${table.order}`
          const file = await this.#writePartition(table, { byte, level: level + 1, query })
          await folder.commit(merged)
          levels.set(level + 1, [...(levels.get(level + 1) ?? []), file])
        }
      }
    }
  }

  /** Inserts into the table, sorted, what the statement selects from these objects, or from existing tables. */
  async #fill(name: TableName, select: string, objects?: readonly string[]): Promise<void> {
    const { database } = this.#options
    const { byte, order } = TABLES[name]
    await database.run(`TRUNCATE ${name}`)
    if (objects?.length === 0) return
    if (objects !== undefined) await this.#open(objects)
    await database.run(`INSERT INTO ${name} BY NAME SELECT * FROM (${select}) ORDER BY ${byte}, ${order}`)
  }

  async #open(keys: readonly string[]): Promise<void> {
    const { database, source } = this.#options
    await database.run(`SET VARIABLE objects = ${listOf(await source.files(keys))}`)
  }

  /** Writes the rows of the table into their partitions. */
  async #write({ name, byte }: LakeTable): Promise<void> {
    const { database, folder } = this.#options
    // More than one thread would mix up the order of the rows.
    await database.run('SET threads = 1')
    await database.run(`COPY (SELECT *, ${byte} AS byte FROM ${name}) TO ${quoted(join(folder.incoming, name))} (
      ${PARQUET}, PARTITION_BY (byte), FILENAME_PATTERN '0-${this.#run}-${this.#files++}-{i}')`)
    await database.run('RESET threads')
  }

  /** @returns the file, relative to the lake */
  async #writePartition(
    { name }: LakeTable,
    { byte, level, query }: { readonly byte: string; readonly level: number; readonly query: string },
  ): Promise<string> {
    const { database, folder } = this.#options
    const file = join(name, `byte=${byte}`, `${level}-${this.#run}-${this.#files++}.parquet`)
    await mkdir(dirname(join(folder.incoming, file)), { recursive: true })
    const target = quoted(join(folder.incoming, file))
    await database.run(`COPY (${query}) TO ${target} (${PARQUET})`)
    return file
  }

  #lakeTable(name: TableName): string {
    const pattern = quoted(this.#options.folder.path(`${name}/byte=*/*.parquet`))
    return `read_parquet(${pattern}, hive_partitioning = true, hive_types = {byte: VARCHAR})`
  }

  /** The first column, as strings. */
  async #texts(query: string): Promise<readonly string[]> {
    const rows = await this.#options.database.rows(query)
    return rows.map((row) => String(Object.values(row)[0]))
  }
}

/** How often the rows of a file were merged. */
function levelOf(file: string): number {
  return Number.parseInt(basename(file), 10)
}
