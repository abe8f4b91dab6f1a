/** The views that are lists: what each asks, and how its items look as rows. */
import { z } from 'zod'
import { terminalText } from '../../src/formats/escape.ts'
import { wrapped } from '../../src/formats/table.ts'
import { formatBytes, formatCount, formatDelta } from '../../src/text/format.ts'
import type { LayerView } from './layer-views.ts'
import type { Row, RowPage } from './list-pane.ts'
import { ROOT } from './listing.ts'
import { type Layer, pathOf, type Questions } from './questions.ts'

/** A width in columns, or a share of what is left. */
export type Column = {
  readonly title: string
  readonly align: 'left' | 'right'
  readonly width: number | { readonly share: number }
}

const SIZE = 8
const PAGE = '1000'

const right = (title: string, width = SIZE): Column => ({ title, align: 'right', width })
const left = (title: string, width: number): Column => ({ title, align: 'left', width })
const rest = (title: string, share = 1): Column => ({ title, align: 'left', width: { share } })

export const COLUMNS = {
  layers: [right('#', 3), right('pull'), right('stored'), right('waste'), rest('step')],
  waste: [right('size'), left('why', 8), right('layer', 5), right('by', 3), rest('path')],
  advice: [right('size'), left('', 7), rest('what to change')],
  packages: [right('size'), left('type', 7), rest('name', 3), rest('version', 2)],
  duplicates: [right('wasted'), right('copies', 6), right('size'), rest('first path')],
  changes: [right('delta', 9), left('', 1), rest('path')],
  largest: [right('size'), right('layer', 5), rest('path')],
  image: [left('', 14), rest('')],
} as const satisfies Readonly<Record<string, readonly Column[]>>

export type ListName = keyof typeof COLUMNS

const pathSchema = { path: z.string(), pathBase64: z.string().optional() }

export function layerRows(layers: readonly Layer[]): readonly Row[] {
  return layers.map(
    ({ index, compressedBytes, uncompressedBytes, wastedBytes, createdBy = '', digest, diffId, created }) => {
      const step = terminalText(createdBy)
      return {
        cells: [
          String(index),
          formatBytes(compressedBytes),
          uncompressedBytes === undefined ? '–' : formatBytes(uncompressedBytes),
          wastedBytes === 0 ? '–' : formatBytes(wastedBytes),
          step,
        ],
        name: step === '' ? `layer ${index}` : `layer ${index}: ${step}`,
        bytes: uncompressedBytes ?? compressedBytes,
        layer: index,
        about: (columns) => [
          `layer    ${index}`,
          `digest   ${digest}`,
          `diffId   ${diffId}`,
          `created  ${terminalText(created ?? '–')}`,
          `pull     ${formatCount(compressedBytes)} B`,
          `stored   ${uncompressedBytes === undefined ? '–' : `${formatCount(uncompressedBytes)} B`}`,
          `waste    ${formatCount(wastedBytes)} B`,
          '',
          ...prose(createdBy, columns),
        ],
      }
    },
  )
}

/** Sentences in lines that fit. */
function prose(text: string, columns: number): readonly string[] {
  return text.split('\n').flatMap((line) => wrapped(terminalText(line), columns))
}

const wasteSchema = z.object({
  ...pathSchema,
  bytes: z.number(),
  layer: z.number(),
  reason: z.string(),
  byLayer: z.number(),
})

const REASONS: Readonly<Record<string, string>> = { metadataOnly: 'metadata' }

function wasteRow(item: unknown): Row {
  const { bytes, layer, reason, byLayer, ...path } = wasteSchema.parse(item)
  return {
    cells: [
      formatBytes(bytes),
      REASONS[reason] ?? reason,
      String(layer),
      String(byLayer),
      terminalText(path.path),
    ],
    name: terminalText(path.path),
    bytes,
    layer,
    file: { path: pathOf(path), layer },
  }
}

const adviceSchema = z.object({
  items: z.array(
    z.object({
      rule: z.string(),
      severity: z.string(),
      title: z.string(),
      bytes: z.number().optional(),
      layer: z.number().optional(),
      byLayer: z.number().optional(),
      createdBy: z.string().optional(),
      paths: z.array(z.object({ ...pathSchema, bytes: z.number() })),
      fix: z.string(),
    }),
  ),
})

/** @param answer of `/v1/advice` */
export function adviceRows(answer: unknown): readonly Row[] {
  return adviceSchema
    .parse(answer)
    .items.map(({ bytes, title, severity, layer, createdBy, paths, fix, rule }) => {
      const shown = terminalText(title)
      return {
        cells: [bytes === undefined ? '–' : formatBytes(bytes), severity, shown],
        name: shown,
        bytes,
        layer,
        about: (columns) => [
          ...prose(title, columns),
          '',
          `rule   ${rule} (${severity})`,
          `bytes  ${bytes === undefined ? '–' : formatCount(bytes)}`,
          `layer  ${layer ?? '–'}`,
          ...(createdBy === undefined ? [] : prose(`step   ${createdBy}`, columns)),
          '',
          ...prose(fix, columns),
          '',
          ...paths.map((one) => `${formatBytes(one.bytes).padStart(SIZE)}  ${terminalText(one.path)}`),
        ],
      }
    })
}

const packageSchema = z.object({
  type: z.string(),
  name: z.string(),
  version: z.string().optional(),
  architecture: z.string().optional(),
  purl: z.string(),
  license: z.string().optional(),
  bytes: z.number().optional(),
  path: z.string().optional(),
  layer: z.number().optional(),
})

function packageRow(item: unknown): Row {
  const {
    type,
    name,
    version = '',
    bytes,
    path,
    layer,
    purl,
    license,
    architecture,
  } = packageSchema.parse(item)
  const shown = terminalText(name)
  const size = bytes === undefined ? undefined : `${formatBytes(bytes)}  (${formatCount(bytes)} B)`
  const about = Object.entries({ name, version, type, architecture, license, purl, path, layer, size })
  return {
    cells: [bytes === undefined ? '–' : formatBytes(bytes), type, shown, terminalText(version)],
    name: shown,
    bytes,
    layer,
    file: path === undefined ? undefined : { path: pathOf({ path: path.replace(/!.*$/s, '') }) },
    about: () =>
      about.flatMap(([field, value]) =>
        value === undefined ? [] : [`${field.padEnd(13)} ${terminalText(String(value))}`],
      ),
  }
}

const duplicateSchema = z.object({
  sha256: z.string(),
  bytes: z.number(),
  count: z.number(),
  wastedBytes: z.number(),
  paths: z.array(z.object(pathSchema)),
})

function duplicateRow(item: unknown): Row {
  const { sha256, bytes, count, wastedBytes, paths } = duplicateSchema.parse(item)
  const [first = { path: '' }] = paths
  return {
    cells: [
      formatBytes(wastedBytes),
      `${formatCount(count)} ×`,
      formatBytes(bytes),
      terminalText(first.path),
    ],
    name: terminalText(first.path),
    bytes: wastedBytes,
    file: { path: pathOf(first) },
    about: () => [
      `${formatCount(count)} copies of ${formatCount(bytes)} B; one would save ${formatCount(wastedBytes)} B`,
      `sha256:${sha256}`,
      '',
      ...paths.map(({ path }) => terminalText(path)),
    ],
  }
}

const changeSchema = z.object({
  ...pathSchema,
  change: z.enum(['added', 'removed', 'modified']),
  delta: z.number(),
})

const SIGNS = { added: '+', removed: '-', modified: '~' } as const

function changeRow(item: unknown): Row {
  const { change, delta, ...path } = changeSchema.parse(item)
  return changed(path, delta, SIGNS[change], { path: pathOf(path), isIn2: change !== 'removed' })
}

function changed(
  { path }: { readonly path: string },
  delta: number,
  sign: '+' | '-' | '~',
  file: NonNullable<Row['file']>,
): Row {
  const shown = terminalText(path)
  return { cells: [formatDelta(delta), sign, shown], name: shown, bytes: delta, sign, file }
}

/** What a layer did, largest delta first. */
export function layerChangeRows({ listing, deltas }: LayerView, layer: number): readonly Row[] {
  const rows: number[] = []
  for (let row = ROOT + 1; row < listing.length; row++) if (listing.sign(row) !== undefined) rows.push(row)
  rows.sort((a, b) => Math.abs(deltas.get(b) ?? 0) - Math.abs(deltas.get(a) ?? 0) || a - b)
  return rows.map((row) => {
    const path = listing.path(row)
    const sign = listing.sign(row) ?? '~'
    const text = Buffer.from(path, 'latin1').toString()
    const file = sign === '-' ? { path, upTo: layer - 1 } : { path, layer }
    return changed({ path: text }, deltas.get(row) ?? 0, sign, file)
  })
}

const largestSchema = z.object({ ...pathSchema, bytes: z.number(), layer: z.number() })

function largestRow(item: unknown): Row {
  const { bytes, layer, ...path } = largestSchema.parse(item)
  const shown = terminalText(path.path)
  return {
    cells: [formatBytes(bytes), String(layer), shown],
    name: shown,
    bytes,
    layer,
    file: { path: pathOf(path) },
  }
}

/** Lists with pages: their endpoint, and the row of an item. */
const PAGES = {
  waste: { path: '/v1/waste', query: {}, row: wasteRow },
  packages: { path: '/v1/packages', query: {}, row: packageRow },
  duplicates: { path: '/v1/duplicates', query: {}, row: duplicateRow },
  largest: { path: '/v1/files', query: { type: 'file', sort: '-bytes' }, row: largestRow },
} as const

export type PagedName = keyof typeof PAGES

export function pagesOf(
  questions: Questions,
  name: PagedName,
): (cursor: string | undefined) => Promise<RowPage> {
  const { path, query, row } = PAGES[name]
  return async (cursor) => {
    const { items, nextCursor } = await questions.page(path, { ...query, limit: PAGE, ...cursorOf(cursor) })
    return { rows: items.map(row), next: nextCursor }
  }
}

export function changePages(
  from: Questions,
  to: Questions,
): (cursor: string | undefined) => Promise<RowPage> {
  return async (cursor) => {
    const { items, nextCursor } = await from.changes(to, { sort: '-delta', limit: PAGE, ...cursorOf(cursor) })
    return { rows: items.map(changeRow), next: nextCursor }
  }
}

function cursorOf(cursor: string | undefined): Readonly<Record<string, string>> {
  return cursor === undefined ? {} : { cursor }
}
