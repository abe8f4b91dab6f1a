/**
 * The comment on a pull request, as GitHub Flavored Markdown: a line that reads well in the preview of a mail, a picture of
 * what grew and shrank, what accounts for it, and folded the rest. Nothing in the facts can be syntax: those about a fork come
 * from a file that the fork could have written.
 */
import type { AdviceItem } from '../advice/advise.ts'
import type { DirectoryChange } from '../diff/directories.ts'
import type { Diff } from '../diff/summary.ts'
import type { RuleVerdict, Verdict } from '../gate/verdict.ts'
import { shortName } from '../image/identity.ts'
import type { ImageFacts, ImageIdentity } from '../image/report.ts'
import { isPullKnown } from '../image/stored.ts'
import { formatBytes, formatCount, formatDelta, formatPercent } from '../text/format.ts'
import type { UpdateSummary } from '../update/update.ts'
import { rulesMarkdown } from './check-markdown.ts'
import { outcome, ruleTitle } from './check-values.ts'
import { tellingDirectories } from './diff-highlights.ts'
import { type Bases, baseSentence, newAdvice, withFolded } from './diff-markdown.ts'
import { comparedSize, stepName, viewDiff } from './diff-view.ts'
import { markdownCode, markdownText, visible } from './escape.ts'
import { fitted, markdownPieces, markdownTable, type Table } from './table.ts'
import { pullSentence } from './update-view.ts'

export type CommentFacts = {
  readonly image: ImageIdentity
  readonly size: ImageFacts['size']
  /** The baseline does not exist yet. */
  readonly isFirst?: true
  /** Present if there are rules. */
  readonly verdict?: Verdict
  /** Present if the baseline exists. */
  readonly diff?: Diff
  /** Present with the diff. */
  readonly update?: UpdateSummary
  /** Present with the diff, if the bases of both are known. */
  readonly bases?: Bases
  /** What is worth telling of the advice that the baseline did not get. */
  readonly advice: readonly AdviceItem[]
  /** Earlier images, oldest first; empty if they were not asked for. */
  readonly builds: readonly Build[]
}

export type Build = { readonly name: string; readonly compressedBytes: number }

export type CommentLinks = {
  /** Address of a picture of the diff that everybody may see. */
  readonly picture?: string | undefined
  /** Address of the whole report, such as the summary of the run. */
  readonly report?: string | undefined
}

const SHOWN = 5
/** What is not folded, and the rules. */
const MAX_HEAD_BYTES = 40_000
/** Columns; a phone shows about 40. */
const BAR = 10
const NAME = 40

/** @returns less than 65,536 bytes, GitHub's limit on a comment */
export function commentMarkdown(facts: CommentFacts, { picture, report }: CommentLinks = {}): string {
  const { verdict, diff, advice } = facts
  const parts = [
    [headlineOf(facts)],
    ...(diff === undefined ? [] : [pictureOf(diff, picture)]),
    ...(verdict === undefined ? [] : [brokenRules(verdict)]),
    // Bars have them already.
    ...(diff === undefined || picture === undefined ? [] : [directoriesOf(diff)]),
    ...(diff === undefined ? [] : [packagesOf(diff)]),
    summaryOf(facts),
    ...(report === undefined ? [] : [[`[The whole report](${report})`]]),
  ]
  const head = parts
    .filter((lines) => lines.length > 0)
    .map((lines) => `${lines.join('\n')}\n`)
    .join('\n')
  const rules = verdict === undefined ? '' : foldedRules(verdict)
  const [start] = [
    head + rules,
    head,
    `${headlineOf(facts)}\n\nThe rest is too long for a comment.\n`,
  ].filter((text) => Buffer.byteLength(text) <= MAX_HEAD_BYTES)
  return withFolded(start ?? 'What changed is too long for a comment.\n', [
    ...(advice.length === 0 ? [] : [newAdvice(advice.map(withoutSyntax))]),
    ...(diff === undefined ? [] : restOf(diff)),
  ])
}

function headlineOf({ image, size, isFirst, verdict, diff }: CommentFacts): string {
  const rules = verdict === undefined ? '' : `${verdict.pass ? '✅' : '❌'} ${outcome(verdict.rules)}. `
  const name = markdownCode(shortName(image))
  if (diff === undefined)
    return `${rules}${name}: **${sizeWords(image, size)}**${isFirst ? '; there is no baseline yet' : ''}`
  const than = markdownCode(diff.from.tag ?? shortName(diff.from))
  return `${rules}${name}: **${viewDiff(diff).headline}**, compared with ${than}`
}

function sizeWords(image: ImageIdentity, { apparentBytes, compressedBytes, stored }: CommentFacts['size']) {
  const pull = isPullKnown(image, stored) ? `, ${formatBytes(compressedBytes)} to pull` : ''
  return `${formatBytes(apparentBytes)} on disk${pull}`
}

/** Where there is no picture, bars show the directories: renderers colour the lines of a diff by their sign. */
function pictureOf(diff: Diff, picture: string | undefined): readonly string[] {
  if (picture !== undefined) return [`![What grew and shrank](${picture})`]
  const directories = largest(diff)
  const most = Math.max(...directories.map(({ delta }) => Math.abs(delta)), 1)
  return directories.length === 0 ? [] : ['```diff', ...directories.map((one) => barOf(one, most)), '```']
}

function largest(diff: Diff): readonly DirectoryChange[] {
  return tellingDirectories(diff.files.directories).slice(0, SHOWN)
}

function barOf({ path, delta }: DirectoryChange, most: number): string {
  const length = delta === 0 ? 0 : Math.max(1, Math.round((BAR * Math.abs(delta)) / most))
  const size = formatBytes(Math.abs(delta)).padStart(7)
  const name = fitted(visible(path === '' ? '/' : path), NAME)
  return `${delta < 0 ? '-' : '+'} ${size} ${'█'.repeat(length).padEnd(BAR)} ${name}`
}

const CHANGE = { title: 'Change', align: 'right' } as const

/** A size stays on one line on a phone. */
function unbroken(size: string): string {
  return size.replace(' ', '\u00a0')
}

function directoriesOf(diff: Diff): readonly string[] {
  const directories = largest(diff)
  if (directories.length === 0) return []
  return markdownTable({
    columns: [CHANGE, { title: 'Directory', align: 'left' }],
    rows: directories.map(({ path, delta }) => ({
      cells: [[unbroken(formatDelta(delta))], [{ name: path === '' ? '/' : path }]],
    })),
  })
}

function brokenRules({ rules }: Verdict): readonly string[] {
  const broken = rules.filter(({ pass }) => !pass)
  const rest = broken.length - SHOWN
  const line = (rule: RuleVerdict) => `- ❌ ${markdownCode(ruleTitle(rule))}: ${markdownText(rule.message)}`
  return [...broken.slice(0, SHOWN).map(line), ...(rest > 0 ? [`- and ${formatCount(rest)} more`] : [])]
}

function foldedRules({ rules }: Verdict): string {
  const lines = [
    '',
    `<details><summary>Rules: ${outcome(rules)}</summary>`,
    '',
    ...rulesMarkdown(rules),
    '',
    '</details>',
  ]
  return `${lines.join('\n')}\n`
}

/** The largest changes that a package accounts for; those of unknown size are folded with the rest. */
function packagesOf(diff: Diff): readonly string[] {
  const table = viewDiff(diff).tables.find(({ id }) => id === 'packages')
  const rows = (table?.rows ?? [])
    .slice(0, SHOWN)
    .flatMap(({ cells: [, name = [], version = [], sizes = []] }) => {
      const [size] = sizes
      return typeof size === 'string' && size !== '' ? [{ cells: [[unbroken(size)], name, version] }] : []
    })
  const columns = [CHANGE, { title: 'Package', align: 'left' }, { title: 'Version', align: 'left' }] as const
  return rows.length === 0 ? [] : markdownTable({ columns, rows })
}

function summaryOf({ image, size, diff, update, bases, builds }: CommentFacts): readonly string[] {
  const step = diff && stepOf(diff)
  const pull = update && pullSentence(update, ` of ${formatBytes(update.total.bytes)}`)
  const growth = growthOf(builds, isPullKnown(image, size.stored) ? size.compressedBytes : undefined)
  return [
    ...(step === undefined ? [] : [`- Mostly due to the step ${markdownPieces(step)} uncompressed.`]),
    ...(pull === undefined ? [] : [`- ${pull}`]),
    ...(diff === undefined ? [] : baseSentence(diff, bases).map((sentence) => `- ${sentence}`)),
    ...(growth === undefined ? [] : [`- ${growth}`]),
  ]
}

/** The step whose layers account for most of the change, and how much. */
function stepOf(diff: Diff) {
  const { added, removed } = diff.layers
  const deltas = new Map<string, number>()
  for (const [layers, sign] of [[removed, -1] as const, [added, 1] as const])
    for (const layer of layers) {
      const { name } = stepName(layer)
      const { uncompressedBytes = layer.compressedBytes } = layer
      deltas.set(name, (deltas.get(name) ?? 0) + sign * uncompressedBytes)
    }
  const { delta: total } = comparedSize(diff).values
  const direction = Math.sign(total)
  const [most] = [...deltas]
    .filter(([, delta]) => delta !== 0 && (direction === 0 || Math.sign(delta) === direction))
    .sort(([, a], [, b]) => Math.abs(b) - Math.abs(a))
  return most && [{ name: most[0] }, `: ${formatDelta(most[1])}`]
}

/** `Last 3 builds: 80.1 · 80.9 · 82.0 MB, now 88.6 MB: +8.50 MB (+10.6%) since v1.` */
function growthOf(builds: readonly Build[], now: number | undefined): string | undefined {
  const [first] = builds
  const last = now ?? builds.at(-1)?.compressedBytes
  if (first === undefined || last === undefined) return undefined
  const delta = last - first.compressedBytes
  const share = first.compressedBytes === 0 ? '' : ` (${percentOf(delta, first.compressedBytes)})`
  const count = builds.length === 1 ? 'The last build' : `The last ${formatCount(builds.length)} builds`
  const current = now === undefined ? '' : `, now ${formatBytes(now)}`
  const sizes = numbers(builds.map(({ compressedBytes }) => formatBytes(compressedBytes)))
  return `${count}, compressed: ${sizes}${current}: ${formatDelta(delta)}${share} since ${markdownCode(first.name)}.`
}

function percentOf(part: number, whole: number): string {
  const percent = (100 * part) / whole
  return `${percent > 0 ? '+' : ''}${formatPercent(percent)}`
}

/** The unit once, if all have the same. */
function numbers(sizes: readonly string[]): string {
  const units = new Set(sizes.map((size) => size.replace(/^\S+ /, '')))
  const [unit] = units
  if (units.size > 1) return sizes.join(' · ')
  return `${sizes.map((size) => size.replace(/ .*/, '')).join(' · ')} ${unit ?? ''}`
}

/** The tables of the diff that the comment does not show above. */
function restOf(diff: Diff): readonly Table[] {
  const { figures, tables } = viewDiff(diff)
  const isShown = ({ id, rows }: Table) => (id === 'directories' || id === 'packages') && rows.length <= SHOWN
  return [figures, ...tables.filter((table) => !isShown(table))]
}

function withoutSyntax(item: AdviceItem): AdviceItem {
  return { ...item, title: markdownText(item.title) }
}
