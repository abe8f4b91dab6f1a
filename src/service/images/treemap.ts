/** The areas of an image's file system, classified by layer, kind, package or waste. */
import type { ObjectStore } from '../../host.ts'
import { type Area, type AreaClasses, findAreas } from '../../image/areas.ts'
import { type HiddenRow, withHidden } from '../../image/hidden-areas.ts'
import { KINDS, kindOf } from '../../image/kinds.ts'
import type { Inventory } from '../../image/packages/inventory.ts'
import { PACKAGE_TYPES } from '../../image/report.ts'
import { Problem } from '../../problem.ts'
import { isWithin, type PathKey, parentKey, showPath } from '../../text/path.ts'
import type { AnalysedImage } from './analyse.ts'
import { directoriesTable, filesTable, WHOLE_FETCH_BYTES, wasteOf } from './image-tables.ts'
import { packageOwners } from './package-owners.ts'

export const TREEMAP_COLOURS = ['layer', 'base', 'waste', 'type', 'package'] as const
export type TreemapColour = (typeof TREEMAP_COLOURS)[number]

/** The classes of `waste`: wasted bytes at and below an area, as a share of the bytes it shows. */
export const WASTE_CLASSES = [
  'nothing wasted',
  'up to 10% wasted',
  'up to half wasted',
  'over half wasted',
] as const

/** The classes of `base`: whose layer shows the file. */
export const BASE_CLASSES = ['of the base image', 'yours'] as const

/** The classes of `package`: the database that lists the file. */
export const OWNER_CLASSES = [...PACKAGE_TYPES, 'no package'] as const

export type TreemapQuestion = {
  /** The directory to show; the root is the empty key. */
  readonly key: PathKey
  readonly depth: number
  readonly colour: TreemapColour
  /** How many of the lowest layers are the base image's, for `base`. */
  readonly baseLayers: number
  /** Areas below this share of the whole are left out. */
  readonly smallest: number
}

/** @throws Problem `path_not_found` if there is no directory at the path */
export async function treemapOf(
  store: ObjectStore,
  { image, facts }: AnalysedImage,
  { key, depth, colour, baseLayers, smallest }: TreemapQuestion,
): Promise<Area> {
  const [files, directories] = await Promise.all([filesTable(store, image), directoriesTable(store, image)])
  const classes =
    colour === 'package'
      ? ownerClasses(await packageOwners(store, image))
      : classesOf(colour, facts.layers.length, baseLayers)
  const area = await findAreas({ files, directories }, key, { depth, smallest, classes })
  if (area === undefined) {
    throw new Problem(
      'path_not_found',
      `${JSON.stringify(showPath(key).path)} is not a directory of the image`,
    )
  }
  if (colour !== 'waste') return area
  const hidden = await hiddenBelow(key, (await wasteOf(store, image))(0, WHOLE_FETCH_BYTES))
  return withHidden(withWaste(area, sumsOf(hidden)), hidden)
}

function ownerClasses(owners: Pick<Inventory, 'typeOf'>): AreaClasses {
  return {
    count: OWNER_CLASSES.length,
    of: ({ key }) => OWNER_CLASSES.indexOf(owners.typeOf(key) ?? 'no package'),
  }
}

function classesOf(
  colour: Exclude<TreemapColour, 'package'>,
  layers: number,
  baseLayers: number,
): AreaClasses {
  switch (colour) {
    case 'base':
      return { count: BASE_CLASSES.length, of: ({ layer }) => (layer < baseLayers ? 0 : 1) }
    case 'layer':
      return { count: Math.max(layers, 1), of: ({ layer }) => layer }
    case 'type':
      return { count: KINDS.length, of: (row) => KINDS.indexOf(kindOf(row)) }
    case 'waste':
      return { count: 1, of: () => 0 }
  }
}

/** The largest wasted files; the rest are smaller. */
const WASTED_ROWS = 10_000

async function hiddenBelow(
  directory: PathKey,
  batches: AsyncIterable<readonly HiddenRow[]>,
): Promise<readonly HiddenRow[]> {
  const hidden: HiddenRow[] = []
  let left = WASTED_ROWS
  for await (const rows of batches) {
    for (const { key, bytes, layer } of rows.slice(0, left)) {
      if (bytes > 0 && key !== directory && isWithin(key, directory)) hidden.push({ key, bytes, layer })
    }
    left -= rows.length
    if (left <= 0) break
  }
  return hidden
}

/** The bytes wasted at and below each path. */
function sumsOf(hidden: readonly HiddenRow[]): ReadonlyMap<PathKey, number> {
  const sums = new Map<PathKey, number>()
  for (const { key, bytes } of hidden) {
    sums.set(key, (sums.get(key) ?? 0) + bytes)
    for (let at = key; at !== ''; at = parentKey(at)) {
      const above = parentKey(at)
      sums.set(above, (sums.get(above) ?? 0) + bytes)
    }
  }
  return sums
}

function withWaste(area: Area, wasted: ReadonlyMap<PathKey, number>): Area {
  const share = (wasted.get(area.key) ?? 0) / Math.max(area.bytes, 1)
  const main = share === 0 ? 0 : share <= 0.1 ? 1 : share <= 0.5 ? 2 : 3
  const { children } = area
  return { ...area, main, ...(children && { children: children.map((child) => withWaste(child, wasted)) }) }
}
