/** The parts of a file as a list: an archive's entries, or an ELF file's sections. */

import type { ElfArea } from '../../inside/elf-areas.ts'
import { areaOf, realSections, symbolStrings } from '../../inside/elf-areas.ts'
import { sectionTypeName } from '../../inside/elf-names.ts'
import type { ArchiveEntry } from '../../inside/entries.ts'
import type { ElfInside, Inside } from '../../open/open-inside.ts'
import { Problem } from '../../problem.ts'
import { decodeText } from '../../text/bytes.ts'
import { keyToPath, type PathKey } from '../../text/path.ts'
import { type Listing, otherList } from '../fleet/listings.ts'

export type ElfSection = {
  readonly name: string
  readonly type: string
  readonly bytes: number
  readonly area: ElfArea
}

export type InsideSort = 'path' | '-bytes' | '-storedBytes'

export type InsideFilter = {
  readonly sort?: InsideSort | undefined
  readonly matches?: ((path: string) => boolean) | undefined
}

/** Reads the sections of an ELF file, one at a time. */
export function sectionsOf({ file }: ElfInside): { readonly count: number; at(index: number): ElfSection } {
  const strings = symbolStrings(file)
  const real = realSections(file)
  const { sections, names, header } = file
  return {
    count: real.length,
    at(place) {
      const index = real[place] ?? 0
      return {
        name: names.at(sections.name(index)),
        type: sectionTypeName(sections.type(index), header.machine),
        bytes: sections.stored(index),
        area: areaOf(file, index, strings),
      }
    },
  }
}

/** @throws Problem `invalid_parameter` for an order that this kind does not have */
export function listInside<Item>(
  inside: Inside,
  filter: InsideFilter,
  show: { readonly entry: (entry: ArchiveEntry) => Item; readonly section: (section: ElfSection) => Item },
): Listing<Item> {
  if (inside.kind === 'elf') {
    const sections = sectionsOf(inside)
    requireOrder(filter.sort, inside)
    const { matches } = filter
    const keeps = matches && ((index: number) => matches(sections.at(index).name))
    return listed(inside, { parts: sections, keeps, sort: filter.sort }, show.section)
  }
  requireOrder(filter.sort, inside)
  const { entries } = inside
  const { matches } = filter
  const keeps = matches && ((index: number) => matches(keyToPath(entries.key(index))))
  return listed(inside, { parts: entries, keeps, sort: filter.sort }, show.entry)
}

function requireOrder(sort: InsideSort | undefined, { kind }: Inside): void {
  const isKnown =
    sort === undefined || sort === '-bytes' || (sort === 'path' ? kind !== 'elf' : kind === 'zip')
  if (!isKnown)
    throw new Problem('invalid_parameter', `sort=${sort} does not apply to ${kind}`, { parameter: 'sort' })
}

type Sortable = { readonly bytes: number; readonly storedBytes?: number; readonly key?: PathKey }

function comparisons(sort: InsideSort | undefined): Order | undefined {
  switch (sort) {
    case undefined:
      return undefined
    case 'path':
      return { text: ({ key = '' }) => key }
    case '-bytes':
      return { weight: ({ bytes }) => bytes }
    case '-storedBytes':
      return { weight: ({ storedBytes = 0 }) => storedBytes }
  }
}

type Order = { readonly weight: (part: Sortable) => number } | { readonly text: (part: Sortable) => string }

type Parts<Part> = { readonly count: number; at(index: number): Part }

const AT_ONCE = 1000

type Selection<Part> = {
  readonly parts: Parts<Part>
  readonly keeps: ((index: number) => boolean) | undefined
  readonly sort: InsideSort | undefined
}

/** Equals stay in the archive's order. */
function listed<Part extends Sortable, Item>(
  inside: Inside,
  selection: Selection<Part>,
  show: (part: Part) => Item,
): Listing<Item> {
  const { parts } = selection
  const order = orderOf(inside, selection)
  const slice = (start: number, limit: number): Item[] =>
    Array.from(order.subarray(start, start + limit), (index) => show(parts.at(index)))
  return {
    async page(at = 0, limit) {
      if (typeof at !== 'number') throw otherList()
      return { items: slice(at, limit), ...(at + limit < order.length ? { next: at + limit } : {}) }
    },
    async *all() {
      for (let at = 0; at < order.length; at += AT_ONCE) yield slice(at, AT_ONCE)
    },
  }
}

/**
 * The order of each whole list that was asked for last, so that a page of a long one does not sort it again. Only one: the cache
 * of insides counts 4 bytes per part for it.
 */
const orders = new WeakMap<Inside, { readonly sort: InsideSort | undefined; readonly order: Uint32Array }>()

function orderOf<Part extends Sortable>(
  inside: Inside,
  { parts, keeps, sort }: Selection<Part>,
): Uint32Array {
  const known = orders.get(inside)
  if (keeps === undefined && known !== undefined && known.sort === sort) return known.order
  const all = Uint32Array.from({ length: parts.count }, (_, index) => index)
  if (keeps !== undefined) return sorted(all.filter(keeps), parts, comparisons(sort))
  const order = sorted(all, parts, comparisons(sort))
  orders.set(inside, { sort, order })
  return order
}

function sorted<Part extends Sortable>(
  order: Uint32Array,
  parts: Parts<Part>,
  by: Order | undefined,
): Uint32Array {
  if (by === undefined) return order
  if ('weight' in by) {
    const weights = new Float64Array(parts.count)
    for (const index of order) weights[index] = by.weight(parts.at(index))
    return order.sort((a, b) => (weights[b] ?? 0) - (weights[a] ?? 0) || a - b)
  }
  const texts = new Map(Array.from(order, (index) => [index, by.text(parts.at(index))]))
  const text = (index: number) => texts.get(index) ?? ''
  return order.sort((a, b) => (text(a) < text(b) ? -1 : text(a) > text(b) ? 1 : a - b))
}

/** The largest parts of a file, for people. */
export type LargestPart = {
  readonly kind: string
  readonly name: string
  readonly about: string
  readonly bytes: number
}

const SHOWN = 50

/** Areas and modules, then the largest entries or sections. */
export async function largestParts(inside: Inside, filter: InsideFilter): Promise<readonly LargestPart[]> {
  const largest = await listInside<LargestPart>(
    inside,
    { ...filter, sort: filter.sort ?? '-bytes' },
    {
      entry: ({ key, type, bytes }) => ({
        kind: type,
        name: decodeText(keyToPath(key)).text,
        about: '',
        bytes,
      }),
      section: ({ name, type, bytes, area }) => ({ kind: 'section', name, about: `${area}, ${type}`, bytes }),
    },
  ).page(undefined, SHOWN)
  if (inside.kind !== 'elf') return largest.items
  const { areas, modules = [] } = inside
  return [
    ...areas.map(({ area, bytes }) => ({ kind: 'area', name: area, about: '', bytes })),
    ...modules.map(({ name, version = '', bytes }) => ({ kind: 'module', name, about: version, bytes })),
    ...largest.items,
  ]
}
