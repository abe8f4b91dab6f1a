/** An update, and a series of them, as people read them, before they become text or Markdown. */
import { buildStep } from '../oci/build-step.ts'
import { formatBytes, formatCount, formatPercent } from '../text/format.ts'
import type { UpdateCauseName } from '../update/fix.ts'
import type { Plan, PlannedGroup } from '../update/plan.ts'
import type { UpdateStep, Updates } from '../update/series.ts'
import type { Update, UpdateCause, UpdateLayer, UpdateSummary } from '../update/update.ts'
import type { Name, Piece, PlainRow, PlainTable } from './table.ts'

export type UpdateView = {
  readonly from: Name
  readonly to: Name
  readonly headline: string
  /** What the pulled layers contain, and what else to know. */
  readonly figures: PlainTable
  readonly notes: readonly string[]
  readonly causes: readonly CauseView[]
  readonly layers: PlainTable
}

export type CauseView = { readonly bytes: string; readonly what: string; readonly fix: string }

const CAUSES: Readonly<Record<UpdateCauseName, string>> = {
  repacked: 'The same layer, compressed in another way',
  times: 'The same files with other times',
  owner: 'The same files with another owner',
  mode: 'The same files with another mode',
  same: 'The same files in a layer that was built again',
  moved: 'The same files at another path',
  archive: 'The same entries in another version of an archive',
}

const UNKNOWN = 'What this update pulls is unknown until it is pushed.'
const BAR = 20

export function viewUpdate(update: Update): UpdateView {
  return {
    from: { name: update.from.reference },
    to: { name: update.to.reference },
    headline: pullSentence(update, ` of ${formatBytes(update.total.bytes)}`) ?? UNKNOWN,
    figures: figuresOf(update),
    notes: notesOf(update),
    causes: update.causes.map(viewCause),
    layers: layersOf(update),
  }
}

/**
 * `This update pulls 31.6 MB; 400 kB of it is new.` Absent if that is unknown.
 *
 * @param share what follows the pulled bytes
 */
export function pullSentence(
  { pull, new: fresh, uncompressed }: UpdateSummary,
  share = '',
): string | undefined {
  if (uncompressed !== undefined) return undefined
  if (pull.bytes === 0) return `This update pulls nothing${share}.`
  return `This update pulls ${formatBytes(pull.bytes)}${share}; ${formatBytes(fresh.estimatedBytes)} of it is new.`
}

function figuresOf(update: Update): PlainTable {
  const { rewritten, moved, new: fresh, repacked, pull, uncompressed } = update
  const files = (
    what: string,
    { files: count, bytes }: { readonly files: number; readonly bytes: number },
    where: string,
  ) => ({
    cells: [
      [what],
      [formatBytes(bytes)],
      [`in ${formatCount(count)} ${count === 1 ? 'file' : 'files'} ${where}`],
    ],
  })
  return {
    columns: [
      { title: '', align: 'left' },
      { title: '', align: 'right' },
      { title: '', align: 'left' },
    ],
    rows: [
      ...(repacked.bytes === 0 || uncompressed !== undefined
        ? []
        : [
            {
              cells: [
                ['Repacked'],
                [formatBytes(repacked.bytes)],
                [`of the ${formatBytes(pull.bytes)}: only the compression differs`],
              ],
            },
          ]),
      files('Rewritten', rewritten, 'that the old image has at the same path'),
      files('Moved', moved, 'that it has at another path'),
      files('New', fresh, 'that it does not have'),
    ],
  }
}

/** Docker's own store keeps no blobs. */
function notesOf({ pull, chained, uncompressed }: Update): string[] {
  if (uncompressed !== undefined || formatBytes(chained.bytes) === formatBytes(pull.bytes)) return []
  return [
    `Docker without the containerd store pulls ${formatBytes(chained.bytes)}: every layer from the first changed one on.`,
  ]
}

function viewCause({ cause, layers, files, bytes, fix }: UpdateCause): CauseView {
  const where = layers.length === 1 ? `layer ${layers[0]}` : `${layers.length} layers`
  const count = files === undefined ? '' : `${formatCount(files)} ${files === 1 ? 'file' : 'files'} in `
  return { bytes: formatBytes(bytes), what: `${CAUSES[cause]}: ${count}${where}`, fix }
}

function layersOf({ layers, uncompressed = [] }: Update): PlainTable {
  const most = Math.max(...layers.map(({ compressedBytes }) => compressedBytes), 1)
  return {
    columns: [
      { title: 'Layer', align: 'right' },
      { title: 'Size', align: 'right' },
      { title: 'Pulled', align: 'left' },
      { title: '', align: 'left' },
      { title: 'Step', align: 'left', cut: 'end' },
    ],
    rows: layers.map((layer) => layerRow(layer, most, uncompressed.includes(layer.index))),
  }
}

function layerRow(layer: UpdateLayer, most: number, isUnknown: boolean): PlainRow {
  const { index, compressedBytes, createdBy, state } = layer
  const share = isUnknown ? 0 : compressedBytes / most
  return {
    ...(state === 'shared' ? {} : { sign: '+' as const }),
    cells: [
      [String(index)],
      [isUnknown ? '–' : formatBytes(compressedBytes)],
      [state],
      [state === 'shared' ? '' : barOf(share, newShare(layer))],
      [{ name: createdBy === undefined ? '' : buildStep(createdBy).replace(/\s+/g, ' ') }],
    ],
  }
}

function newShare({ rewritten, moved, new: fresh, state }: UpdateLayer): number {
  const all = rewritten.bytes + moved.bytes + fresh.bytes
  return state === 'repacked' || all === 0 ? 0 : fresh.bytes / all
}

/** Dark as far as it is new, light for what the old image has already. */
function barOf(share: number, fresh: number): string {
  const cells = Math.max(1, Math.round(share * BAR))
  const dark = Math.round(cells * fresh)
  return '█'.repeat(dark) + '░'.repeat(cells - dark)
}

export type UpdatesView = {
  readonly headline: string
  readonly steps: PlainTable
  readonly skipped: readonly (readonly Piece[])[]
  readonly plan: PlanView
}

export type PlanView = {
  readonly sentences: readonly string[]
  readonly layers: PlainTable | undefined
}

export function viewUpdates({ steps, median, plan, skipped = [] }: Updates): UpdatesView {
  return {
    headline: `The median update pulls ${formatBytes(median.pull)}; ${formatBytes(median.new)} in its files are new`,
    steps: {
      columns: [
        { title: 'To', align: 'left' },
        { title: 'Pulls', align: 'right' },
        { title: 'Of', align: 'right' },
        { title: 'Rewritten', align: 'right' },
        { title: 'Moved', align: 'right' },
        { title: 'New', align: 'right' },
      ],
      rows: steps.map(stepRow),
    },
    skipped: skipped.map(({ name, problem }) => [{ name }, ': ', { name: problem.message }]),
    plan: viewPlan(plan),
  }
}

function stepRow({ to, pull, total, rewritten, moved, new: fresh }: UpdateStep): PlainRow {
  const sizes = [pull.bytes, total.bytes, rewritten.bytes, moved.bytes, fresh.bytes]
  return { cells: [[{ name: shortReference(to) }], ...sizes.map((bytes) => [formatBytes(bytes)])] }
}

/** The tag of a reference; a digest's beginning. */
export function shortReference(reference: string): string {
  const [, digest] = /@sha256:([0-9a-f]{12})[0-9a-f]*$/.exec(reference) ?? []
  return digest ?? reference.slice(reference.lastIndexOf(':') + 1)
}

function viewPlan(plan: Updates['plan']): PlanView {
  if ('problem' in plan) return { sentences: [`No plan: ${plan.problem.message}`], layers: undefined }
  const { layers, base } = plan
  return {
    sentences: [...(base === undefined ? [WITHOUT_BASE] : []), ...comparisonOf(plan)],
    layers: {
      columns: [
        { title: 'Layer', align: 'right' },
        { title: 'Size', align: 'right' },
        { title: 'Changes', align: 'right' },
        { title: 'What', align: 'left', cut: 'end' },
      ],
      rows: layers.map(({ order, bytes, changes, groups }) => ({
        cells: [
          [String(order)],
          [formatBytes(bytes)],
          [formatCount(changes)],
          groups.slice(0, NAMED).flatMap(groupPieces),
        ],
      })),
    },
  }
}

const NAMED = 3
const WITHOUT_BASE =
  'The base image is split as well, which only its maker can do: name it with baseImage to keep it as it is.'

function comparisonOf({ layers, mean, median }: Plan): string[] {
  const pulls = (name: keyof Plan['mean']) =>
    `${formatBytes(mean[name])} (median ${formatBytes(median[name])})`
  const now = `Uncompressed, an update pulls ${pulls('now')} on average`
  const same =
    mean.reproducible < mean.now ? `, ${pulls('reproducible')} if unchanged layers stayed the same` : ''
  const planned = `${pulls('planned')} with files in ${layers.length} ${layers.length === 1 ? 'layer' : 'layers'} by how often they change`
  if (mean.planned >= mean.reproducible) {
    return [
      `${now}${same}, ${planned}: keep the layers as they are${same === '' ? '' : ', and build them reproducibly'}.`,
    ]
  }
  const saved = mean.now === 0 ? '' : ` (${formatPercent((100 * (mean.planned - mean.now)) / mean.now)})`
  return [`${now}${same}, ${planned}${saved}. Copy what changes least first:`]
}

function groupPieces(group: PlannedGroup, place: number): Piece[] {
  const name = 'package' in group ? `${group.type} ${group.package}` : `/${group.path}`
  return [place === 0 ? '' : ', ', { name }, ` ${formatBytes(group.bytes)}`]
}
