/** The packages of an image and the files of each, from the databases stored with its layers. */
import { readDatabases, type StoredDatabases } from '../../index/databases.ts'
import type { DatabaseSink } from '../../layer/database.ts'
import type { WantedMember } from '../../layer/members.ts'
import type { TableStore } from '../../table/part.ts'
import type { Table } from '../../table/table.ts'
import type { MergedEntry } from '../merged-entry.ts'
import type { BuildTools } from '../report.ts'
import { type Inventory, takeInventory } from './inventory.ts'
import { ShownDatabases } from './shown-databases.ts'

/** The name of a layer's index, and how many package databases are stored with it. */
export type DatabaseLayer = StoredDatabases & { readonly index: string }

type OwnedFile = Pick<MergedEntry, 'key' | 'type' | 'bytes' | 'layer' | 'inode' | 'ordinal'>

/** @param layer index of the layer, from 0 */
export type ReadAgain = (layer: number, members: readonly WantedMember[], sink: DatabaseSink) => Promise<void>

export type StoredPackages = {
  readonly store: TableStore
  /** From the lowest. */
  readonly layers: readonly DatabaseLayer[]
  /** The merged file system. */
  readonly files: () => Promise<Table<MergedEntry>>
  /** Reads members of a layer's blob again. */
  readonly readAgain?: ReadAgain | undefined
}

/**
 * Reads the databases, then, if there are any, the merged file system: only then is it known which package owns which file.
 *
 * @param counts which files count for their packages; all by default
 * @throws LostTable if a stored object is missing or damaged
 */
export async function readInventory(
  { store, layers, files, readAgain }: StoredPackages,
  shown: ShownDatabases,
  counts: (file: OwnedFile) => boolean = () => true,
): Promise<Inventory> {
  const databases = layers.map((stored, layer) => ({
    layer,
    members: readDatabases(store, stored.index, stored),
    again:
      readAgain &&
      ((members: readonly WantedMember[], sink: DatabaseSink) => readAgain(layer, members, sink)),
  }))
  const inventory = await takeInventory(databases, shown)
  if (shown.size === 0 && !inventory.hasExamined) return inventory
  const columns = ['key', 'type', 'bytes', 'layer', 'inode', 'ordinal'] as const
  if (inventory.hasExamined) {
    for await (const rows of (await files()).rows({ columns })) {
      for (const row of rows) inventory.survey(row)
    }
    inventory.finishSurvey()
  }
  for await (const rows of (await files()).rows({ columns })) {
    for (const row of rows) if (counts(row)) inventory.see(row)
  }
  return inventory
}

/**
 * The bytes of build tools among the files that count. The image's facts have those of all files.
 *
 * @throws LostTable if a stored object is missing or damaged
 */
export async function findBuildTools(
  packages: StoredPackages,
  counts: (file: OwnedFile) => boolean,
): Promise<BuildTools | undefined> {
  const shown = new ShownDatabases()
  const columns = ['key', 'type', 'bytes', 'link', 'layer', 'ordinal'] as const
  for await (const rows of (await packages.files()).rows({ columns })) {
    // Without the columns needed only for reading a blob again: no layer is read here.
    for (const { key, type, bytes, link, layer, ordinal } of rows)
      shown.see({ key, type, bytes, link, layer, ordinal })
  }
  return (await readInventory(packages, shown, counts)).buildTools()
}
