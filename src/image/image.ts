/**
 * What the store has of an analysed image beside its merged file system, as one object: the table of its packages, its small
 * tables as parts of that table's object, and in the footer its facts, or the reason why the analysis failed.
 */
import { z } from 'zod'
import type { ObjectStore } from '../host.ts'
import { addChecksum, verifyChecksum } from '../index/checksummed.ts'
import { imageKey } from '../index/keys.ts'
import type { ProblemDocument } from '../problem.ts'
import { readMetadata } from '../table/metadata.ts'
import type { KeyValue } from '../table/parquet/footer.ts'
import { NOWHERE, partOf, STORED_PART, type StoredPart } from '../table/part.ts'
import type { Schema } from '../table/schema.ts'
import { openTable, type Table } from '../table/table.ts'
import { encodeTable, type TableEnd, writeTable } from '../table/write-table.ts'
import { PACKAGES } from './package-table.ts'
import type { ImageFacts, Package } from './report.ts'

/** The key in the footer. */
const METADATA = 'lamina.image'

const SMALL_TABLES = z.object({
  directories: STORED_PART,
  waste: STORED_PART,
  duplicates: STORED_PART,
  layerDuplicates: STORED_PART,
})

/** Where each small table is in the image's object; each is a whole Parquet file. */
export type SmallTables = Readonly<z.output<typeof SMALL_TABLES>>
export type SmallTable = keyof SmallTables

/** What an analysis found, and where the rest of it is. */
export type AnalysedFacts = { readonly facts: ImageFacts; readonly tables: SmallTables }

/** Written last, so that if it exists, the tables are complete. */
export type StoredImage = AnalysedFacts | { readonly failure: ProblemDocument }

/** Written by this service, in this version of the format. */
const isObject = (value: unknown) => typeof value === 'object' && value !== null
const stored: z.ZodType<StoredImage> = z.union([
  z.object({ facts: z.custom<ImageFacts>(isObject), tables: SMALL_TABLES }),
  z.object({ failure: z.custom<ProblemDocument>(isObject) }),
])

/** Undefined if the image is not analysed, or the stored data is damaged. */
export async function readStoredImage(store: ObjectStore, index: string): Promise<StoredImage | undefined> {
  const key = imageKey(index, 'packages.parquet')
  const metadata = await readMetadata(store, key, METADATA)
  return stored.safeParse(metadata && verifyChecksum(key, metadata)).data
}

export type SmallTableLocation<Row> = {
  readonly name: SmallTable
  readonly part: StoredPart
  readonly schema: Schema<Row>
}

/**
 * @param onLost as {@link openTable} has it
 * @returns undefined if there is no such object
 * @throws LostTable if it is damaged
 */
export function openSmallTable<Row>(
  store: ObjectStore,
  index: string,
  { name, part, schema }: SmallTableLocation<Row>,
  onLost?: () => Promise<void>,
): Promise<Table<Row> | undefined> {
  const object = partOf(store, imageKey(index, 'packages.parquet'), part)
  return openTable(object, smallTableKey(index, name), schema, onLost)
}

/** The bytes of a small table. */
export function encodeSmallTable<Row>(
  index: string,
  { name, schema }: Omit<SmallTableLocation<Row>, 'part'>,
  batches: AsyncIterable<readonly Row[]>,
): AsyncGenerator<Uint8Array> {
  return encodeTable(smallTableKey(index, name), schema, batches)
}

/** Names the table in problems, and in its checksum, so that no other table can take its place. */
export function smallTableKey(index: string, name: SmallTable): string {
  return `${imageKey(index, 'packages.parquet')}#${name}`
}

export type AnalysedTables = {
  readonly packages: readonly Package[]
  /** Each makes the bytes of one table; they run one after the other. */
  readonly tables: Readonly<Record<SmallTable, () => AsyncIterable<Uint8Array>>>
  /** Called once, after all tables. */
  readonly facts: () => ImageFacts
}

/** @param index name of the image's index, whose `files.parquet` is stored */
export async function writeAnalysed(
  store: ObjectStore,
  index: string,
  { packages, tables, facts }: AnalysedTables,
): Promise<void> {
  await write(store, index, packages, {
    parts: [tables.directories, tables.waste, tables.duplicates, tables.layerDuplicates],
    image: ([directories = NOWHERE, waste = NOWHERE, duplicates = NOWHERE, layerDuplicates = NOWHERE]) => ({
      facts: facts(),
      tables: { directories, waste, duplicates, layerDuplicates },
    }),
  })
}

/** Keeps a failure that belongs to the image's bytes, so that they are not read again. */
export async function writeFailure(
  store: ObjectStore,
  index: string,
  failure: ProblemDocument,
): Promise<void> {
  await write(store, index, [], { parts: [], image: () => ({ failure }) })
}

/** The metadata in the footer of the packages' table: what is known about the image. */
export function imageMetadata(index: string, image: StoredImage): KeyValue {
  return { name: METADATA, value: addChecksum(imageKey(index, 'packages.parquet'), image) }
}

type ImageEnd = {
  readonly parts: TableEnd['parts']
  /** @param parts their places */
  readonly image: (parts: readonly StoredPart[]) => StoredImage
}

async function write(
  store: ObjectStore,
  index: string,
  packages: readonly Package[],
  { parts, image }: ImageEnd,
): Promise<void> {
  const end = (): TableEnd => ({ parts, metadata: (places) => imageMetadata(index, image(places)) })
  await writeTable(store, { key: imageKey(index, 'packages.parquet'), end }, PACKAGES, once(packages))
}

async function* once<Row>(rows: readonly Row[]): AsyncGenerator<readonly Row[]> {
  yield rows
}
