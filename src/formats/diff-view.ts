/**
 * Diffs, verdicts and lists in the formats that people and tools read. This file has a diff as people read it, before it
 * becomes Markdown, text or HTML: a headline, the figures, the reasons, and tables. Names from images are marked as such; each
 * format escapes them in its own way.
 */
import type { FileChange } from '../diff/change.ts'
import type { ConfigValue } from '../diff/config.ts'
import type { DirectoryChange } from '../diff/directories.ts'
import type { PackageChange } from '../diff/packages.ts'
import type { Comparison, Diff } from '../diff/summary.ts'
import type { ImageIdentity } from '../image/report.ts'
import { isPullKnown } from '../image/stored.ts'
import { buildStep } from '../oci/build-step.ts'
import { FIGURES } from '../text/figures.ts'
import { formatBytes, formatCount, formatDelta, formatPercent } from '../text/format.ts'
import { tellingDirectories } from './diff-highlights.ts'
import type { Name, Piece, Row, Sign, Table, TableColumn } from './table.ts'

export type DiffView = {
  readonly from: Name
  readonly to: Name
  readonly headline: string
  readonly identical: boolean
  readonly figures: Table
  /** Sentences about what makes up most of the change. */
  readonly reasons: readonly (readonly Piece[])[]
  /** Only tables with rows; the most informative first. */
  readonly tables: readonly Table[]
}

const MAX_NAME = 160
const NAMED_DIRECTORIES = 3
const NAMED_PACKAGES = 5
/** As a share of the larger image's layers: less waste is not a reason. */
const WORTH_TELLING = 0.01

export function viewDiff(diff: Diff): DiffView {
  const directories = tellingDirectories(diff.files.directories)
  const packages = packagesBySize(diff)
  const tables = [
    directoryTable(directories),
    fileTable(diff.files.largest),
    packageTable(packages),
    layerTable(diff),
    configTable(diff),
    historyTable(diff),
  ]
  return {
    from: nameOf(diff.from),
    to: nameOf(diff.to),
    headline: headline(diff),
    identical: diff.identical,
    figures: figureTable(diff),
    reasons: [
      ...wasteReason(diff),
      ...directoryReason(diff, directories),
      ...packageReason(packages),
      ...pathReason(diff),
    ],
    tables: tables.filter(({ rows }) => rows.length > 0),
  }
}

/** Long names are cut in the middle: the end of a path says most. */
function name(text: string): Name {
  const characters = Array.from(text)
  if (characters.length <= MAX_NAME) return { name: text }
  const [head, tail] = [characters.slice(0, 40), characters.slice(41 - MAX_NAME)]
  return { name: `${head.join('')}…${tail.join('')}` }
}

/** Long texts are cut at the end: the beginning of a command says most. */
function excerpt(text: string): Name {
  const characters = Array.from(text)
  return { name: characters.length <= MAX_NAME ? text : `${characters.slice(0, MAX_NAME - 1).join('')}…` }
}

function nameOf({ reference, platform, tag }: ImageIdentity): Name {
  const pinned = tag === undefined ? reference : reference.replace(/@sha256:[0-9a-f]{64}$/, '')
  return name(platform === 'linux/amd64' ? pinned : `${pinned} (${platform})`)
}

/** The size that tells most of both images, and what it is called. */
export function comparedSize(diff: Diff): { readonly values: Comparison; readonly where: string } {
  const { compressedBytes, uncompressedBytes, apparentBytes } = diff.size
  if (comparesPulls(diff)) return { values: compressedBytes, where: 'compressed' }
  return uncompressedBytes === undefined
    ? { values: apparentBytes, where: 'on disk' }
    : { values: uncompressedBytes, where: 'uncompressed' }
}

/** `31.5 MB smaller compressed (-36.9%), 119 MB smaller uncompressed` */
function headline(diff: Diff): string {
  if (diff.identical) return 'Identical: the same files and the same config'
  const { compressedBytes: compressed, uncompressedBytes: uncompressed } = diff.size
  if (!comparesPulls(diff)) {
    const { values, where } = comparedSize(diff)
    const words = `${comparison(values)} ${where}${percent(values, ' (', ')')}`
    return words.charAt(0).toUpperCase() + words.slice(1)
  }
  const uncompressedWords = uncompressed === undefined ? '' : `, ${comparison(uncompressed)} uncompressed`
  return compressed.delta === 0
    ? `Same size compressed${uncompressedWords}`
    : `${comparison(compressed)} compressed${percent(compressed, ' (', ')')}${uncompressedWords}`
}

/** Whether the compressed sizes of both are what a pull takes: others cannot be compared. */
export function comparesPulls({ from, to, size: { stored } }: Diff): boolean {
  return isPullKnown(from, stored.from) && isPullKnown(to, stored.to)
}

function comparison({ delta }: Comparison): string {
  if (delta === 0) return 'same size'
  return `${formatBytes(Math.abs(delta))} ${delta < 0 ? 'smaller' : 'larger'}`
}

/** Empty if the first figure is 0: growth from 0 has no percentage. */
function percent({ from, delta }: Comparison, before = '', after = ''): string {
  if (from === 0 || delta === 0) return ''
  const value = (100 * delta) / from
  return `${before}${value > 0 ? '+' : ''}${formatPercent(value)}${after}`
}

function signOf(delta: number): Sign {
  return delta > 0 ? '+' : delta < 0 ? '-' : '~'
}

function figureTable(diff: Diff): Table {
  const [before, after] = columnNames(diff.from, diff.to)
  return {
    id: 'figures',
    title: 'Figures',
    noun: 'figures',
    columns: [
      { title: '', align: 'left' },
      { title: before, align: 'right' },
      { title: after, align: 'right' },
      { title: 'Change', align: 'right' },
      { title: '%', align: 'right' },
    ],
    rows: comparedFigures(diff).map(figureRow),
  }
}

/** A figure of both images, and how its values are written. */
export type ComparedFigure = {
  readonly label: string
  readonly values: Comparison
  readonly format: (value: number) => string
}

/** The figures at the beginning of a diff, in order. */
export function comparedFigures(diff: Diff): readonly ComparedFigure[] {
  const { size, waste, counts } = diff
  const { compressedBytes, uncompressedBytes, apparentBytes } = size
  const { compressed, uncompressed, fileSystem, wasted, files, layers } = FIGURES
  return [
    ...(comparesPulls(diff)
      ? [{ label: compressed.label, values: compressedBytes, format: formatBytes }]
      : []),
    ...(uncompressedBytes === undefined
      ? []
      : [{ label: uncompressed.label, values: uncompressedBytes, format: formatBytes }]),
    { label: fileSystem.label, values: apparentBytes, format: formatBytes },
    { label: wasted.label, values: waste, format: formatBytes },
    { label: files.label, values: counts.files, format: formatCount },
    { label: layers.label, values: counts.layers, format: formatCount },
  ]
}

function figureRow({ label, values, format }: ComparedFigure): Row {
  const { from, to, delta } = values
  const change = `${delta > 0 ? '+' : ''}${format(delta)}`
  return {
    sign: signOf(delta),
    cells: [label, format(from), format(to), change, percent(values)].map((text) => [text]),
  }
}

/** What distinguishes the two, in one word. */
function columnNames(from: ImageIdentity, to: ImageIdentity): readonly [Name, Name] {
  const pick = (part: (image: ImageIdentity) => string | undefined): readonly [Name, Name] | undefined => {
    const [before, after] = [part(from), part(to)]
    return before === undefined || after === undefined || before === after
      ? undefined
      : [name(before), name(after)]
  }
  const sameRepository = from.registry === to.registry && from.repository === to.repository
  return (
    (sameRepository ? pick(({ tag }) => tag) : undefined) ??
    pick(({ reference }) =>
      reference.replace(/^.*\//, '').replace(/@sha256:([0-9a-f]{12})[0-9a-f]*$/, '@$1'),
    ) ??
    pick(({ platform }) => platform) ??
    pick(({ reference }) => reference) ?? [{ name: 'from' }, { name: 'to' }]
  )
}

function wasteReason({ waste, size, layers }: Diff): Piece[][] {
  const { from, to } = size.uncompressedBytes ?? size.fileBytes
  const larger = Math.max(from, to)
  if (Math.abs(waste.delta) < WORTH_TELLING * larger) return []
  const [less, wasters] = waste.delta < 0 ? ['less', layers.removed] : ['more', layers.added]
  const worst = wasters.toSorted((a, b) => b.wastedBytes - a.wastedBytes)[0]
  const what = `${formatBytes(Math.abs(waste.delta))} ${less} is wasted on files that a later layer removed or replaced`
  if (worst === undefined || worst.wastedBytes === 0) return [[`${what}.`]]
  const [when, wasted] = waste.delta < 0 ? ['before', 'had wasted'] : ['now', 'wastes']
  return [[`${what}; ${when}, `, stepName(worst), ` alone ${wasted} ${formatBytes(worst.wastedBytes)}.`]]
}

function pathReason({ files: { counts } }: Diff): Piece[][] {
  const { added, removed, modified, contentModified, mtimeOnly } = counts
  if (added + removed + modified === 0) {
    return mtimeOnly === 0 ? [] : [[`${formatCount(mtimeOnly)} paths differ only in their mtime.`]]
  }
  const inContent = modified === 0 ? '' : ` (${formatCount(contentModified)} in content)`
  return [[`Paths: ${countWords({ added, removed, modified })}${inContent}.`]]
}

function directoryReason({ size }: Diff, directories: readonly DirectoryChange[]): Piece[][] {
  if (directories.length === 0) return []
  const named = directories
    .slice(0, NAMED_DIRECTORIES)
    .flatMap((directory, i): Piece[] => [
      i === 0 ? '' : ', ',
      name(directory.path),
      ` ${formatDelta(directory.delta)}`,
    ])
  return [
    [`${FIGURES.fileSystem.label}: ${formatDelta(size.apparentBytes.delta)}, most of it in `, ...named, '.'],
  ]
}

function packageReason(packages: readonly PackageChange[]): Piece[][] {
  const groups = [
    ['removed', packages.filter(({ to }) => to === undefined)],
    ['added', packages.filter(({ from }) => from === undefined)],
    ['changed', packages.filter(({ from, to }) => from !== undefined && to !== undefined)],
  ] as const
  const named = groups
    .filter(([, group]) => group.length > 0)
    .map(([what, group]): Piece[] => {
      const names = [...new Set(group.map((one) => one.name))]
      const more = names.length > NAMED_PACKAGES ? ', …' : ''
      const shown = names
        .slice(0, NAMED_PACKAGES)
        .flatMap((one, i): Piece[] => [i === 0 ? '' : ', ', name(one)])
      return [`${formatCount(group.length)} ${what} (`, ...shown, `${more})`]
    })
  if (named.length === 0) return []
  return [['Packages: ', ...named.flatMap((pieces, i) => (i === 0 ? pieces : [', ', ...pieces])), '.']]
}

const DELTA: TableColumn = { title: 'Change', align: 'right' }

function directoryTable(directories: readonly DirectoryChange[]): Table {
  return {
    id: 'directories',
    title: 'Where it changed',
    noun: 'directories',
    columns: [DELTA, { title: 'Directory', align: 'left' }, { title: 'Paths', align: 'left' }],
    rows: directories.map(({ path, delta, added, removed, modified }) => ({
      sign: signOf(delta),
      cells: [[formatDelta(delta)], [name(path)], [countWords({ added, removed, modified })]],
    })),
  }
}

/** `2 added, 1 removed`; zeros are left out. */
export function countWords(counts: Readonly<Record<string, number>>): string {
  return Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([what, count]) => `${formatCount(count)} ${what}`)
    .join(', ')
}

function fileTable(files: readonly FileChange[]): Table {
  return {
    id: 'files',
    title: 'Largest changed files',
    noun: 'files',
    columns: [DELTA, { title: 'File', align: 'left' }, { title: 'What', align: 'left' }],
    rows: files.map(({ path, delta, change, fields = [], fromBytes, toBytes }) => ({
      sign: signOf(delta),
      cells: [
        [formatDelta(delta)],
        [name(path)],
        [
          change === 'modified'
            ? `${fields.join(', ')}: ${formatBytes(fromBytes)} → ${formatBytes(toBytes)}`
            : change,
        ],
      ],
    })),
  }
}

/** Largest changes first; packages of unknown size last. */
function packagesBySize({ packages: { removed, added, changed } }: Diff): PackageChange[] {
  const weight = ({ deltaBytes }: PackageChange): number => Math.abs(deltaBytes ?? 0)
  return [...removed, ...added, ...changed].sort((a, b) => weight(b) - weight(a))
}

function packageTable(packages: readonly PackageChange[]): Table {
  return {
    id: 'packages',
    title: 'Packages',
    noun: 'packages',
    columns: [
      { title: '', align: 'left' },
      { title: 'Package', align: 'left' },
      { title: 'Version', align: 'left' },
      { title: 'Size', align: 'right' },
    ],
    rows: packages.map((one) => {
      const sign = comeOrGone(one.from, one.to)
      return {
        sign,
        cells: [
          [sign],
          [`${one.type} `, name(one.name)],
          arrow(
            one.from === undefined ? undefined : name(one.from),
            one.to === undefined ? undefined : name(one.to),
          ),
          [one.deltaBytes === undefined ? '' : formatDelta(one.deltaBytes)],
        ],
      }
    }),
  }
}

function comeOrGone(from: unknown, to: unknown): Sign {
  return from === undefined ? '+' : to === undefined ? '-' : '~'
}

function arrow(from: Name | undefined, to: Name | undefined): Piece[] {
  if (from === undefined || to === undefined) return [from ?? to ?? '']
  return [from, ' → ', to]
}

function layerTable({ layers }: Diff): Table {
  const signed = [
    ...layers.removed.map((layer) => ({ sign: '-' as const, layer })),
    ...layers.added.map((layer) => ({ sign: '+' as const, layer })),
  ]
  return {
    id: 'layers',
    title: `Layers: ${countWords({ shared: layers.shared.length, removed: layers.removed.length, added: layers.added.length })}`,
    noun: 'layers',
    columns: [
      { title: '', align: 'left' },
      { title: FIGURES.uncompressed.short, align: 'right' },
      { title: FIGURES.wasted.short, align: 'right' },
      { title: 'Step', align: 'left' },
    ],
    rows: signed.map(({ sign, layer }) => ({
      sign,
      cells: [
        [sign],
        [layer.uncompressedBytes === undefined ? '–' : formatBytes(layer.uncompressedBytes)],
        [formatBytes(layer.wastedBytes)],
        [stepName(layer)],
      ],
    })),
  }
}

/** A step on one line, cut to a readable length. */
export function stepName({ createdBy, digest, comment }: StepLike): Name {
  const step = createdBy === undefined ? (comment ?? digest ?? '') : buildStep(createdBy)
  return excerpt(step.replace(/\s+/g, ' '))
}

type StepLike = {
  readonly createdBy?: string | undefined
  readonly comment?: string | undefined
  readonly digest?: string
}

function configTable({ from, to, config }: Diff): Table {
  const [before, after] = columnNames(from, to)
  const value = (one: ConfigValue | undefined): Piece[] =>
    one === undefined ? ['–'] : [excerpt(valueText(one))]
  return {
    id: 'config',
    title: 'Configuration',
    noun: 'fields of the configuration',
    columns: [
      { title: 'Field', align: 'left' },
      { title: before, align: 'left' },
      { title: after, align: 'left' },
    ],
    rows: config.map((change) => ({
      sign: comeOrGone(change.from, change.to),
      cells: [[name(change.field)], value(change.from), value(change.to)],
    })),
  }
}

function valueText(value: ConfigValue): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** Steps that made a layer are shown with the layers. */
function historyTable({ history }: Diff): Table {
  const signed = [
    ...history.removed.map((step) => ({ sign: '-' as const, step })),
    ...history.added.map((step) => ({ sign: '+' as const, step })),
  ].filter(({ step }) => step.layer === undefined)
  return {
    id: 'history',
    title: 'Build steps without a layer',
    noun: 'steps',
    columns: [
      { title: '', align: 'left' },
      { title: 'Step', align: 'left' },
    ],
    rows: signed.map(({ sign, step }) => ({
      sign,
      cells: [[sign], [stepName(step)]],
    })),
  }
}
