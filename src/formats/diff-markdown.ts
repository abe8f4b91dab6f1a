/** A diff as GitHub Flavored Markdown: a comment on a pull request. */
import type { AdviceItem } from '../advice/advise.ts'
import { type BaseShare, baseMove } from '../base/move.ts'
import type { Diff } from '../diff/summary.ts'
import { formatBytes } from '../text/format.ts'
import type { UpdateSummary } from '../update/update.ts'
import { adviceTable } from './advice-markdown.ts'
import { worthwhileItems } from './advice-view.ts'
import { movedBase } from './base-view.ts'
import { comparesPulls, type DiffView, viewDiff } from './diff-view.ts'
import { markdownPieces, markdownTable, type Table } from './table.ts'
import { pullSentence } from './update-view.ts'

/** Below GitHub's limit of 65,536 characters, with room for the line that says what was cut. */
const MAX_BYTES = 64_000
/** So that no table uses up all the room. */
const MAX_TABLE_BYTES = 16_000
const MAX_ROWS = 50
/** Lines of a table before its rows. */
const HEADER_LINES = 2

export type DiffContext = {
  /** Advice on the second image that the first did not get. */
  readonly advice?: readonly AdviceItem[]
  /** What a machine with the first image downloads for the second. */
  readonly update?: UpdateSummary
  /** How each divides into its base and what stands on it, if that is known of both. */
  readonly bases?: Bases | undefined
}

export type Bases = { readonly from: BaseShare; readonly to: BaseShare }

/** @returns less than 65,536 bytes */
export function diffMarkdown(diff: Diff, { advice = [], update, bases }: DiffContext = {}): string {
  const view = viewDiff(diff)
  const items = worthwhileItems(advice, diff.size.fileBytes.to)
  const tables = [...(items.length === 0 ? [] : [newAdvice(items)]), ...view.tables]
  const pull = update && pullSentence(update)
  const sentences = [...(pull === undefined ? [] : [pull]), ...baseSentence(diff, bases)]
  return withFolded(head(view, sentences), tables)
}

/** Whether the base moved, in a sentence; none if it did not, or that is not known. */
export function baseSentence(diff: Diff, bases: Bases | undefined): readonly string[] {
  const move = bases && baseMove(diff.layers, bases.from, bases.to)
  return move === undefined ? [] : [markdownPieces(movedBase(move, comparesPulls(diff)))]
}

/** The text, and below it as much of the tables as fits into a comment, each folded. @returns less than 65,536 bytes */
export function withFolded(head: string, tables: readonly Table[]): string {
  let text = head
  const cut: string[] = []
  for (const table of tables) {
    const room = Math.min(MAX_TABLE_BYTES, MAX_BYTES - Buffer.byteLength(text))
    const { rows, shown } = takeRows(table, room)
    if (shown > 0) text += collapsed(table, rows)
    if (shown < table.rows.length)
      cut.push(`${table.rows.length - shown} of ${table.rows.length} ${table.noun}`)
  }
  return cut.length === 0 ? text : `${text}\nCut to fit into a comment: ${cut.join(', ')}.\n`
}

/** A table of them. */
export function newAdvice(items: readonly AdviceItem[]): Table {
  const saves = items
    .filter(({ severity }) => severity === 'warning')
    .reduce((sum, { bytes }) => sum + bytes, 0)
  return {
    ...adviceTable(items),
    title: saves === 0 ? 'New advice' : `New advice: up to ${formatBytes(saves)} to save`,
  }
}

function head({ from, to, headline, figures, reasons }: DiffView, sentences: readonly string[]): string {
  const lines = [
    `### ${markdownPieces([from])} → ${markdownPieces([to])}`,
    '',
    `**${headline}**`,
    ...sentences.flatMap((sentence) => ['', sentence]),
    '',
    ...markdownTable(figures),
    '',
    ...reasons.map((reason) => `- ${markdownPieces(reason)}`),
  ]
  return `${lines.join('\n').trimEnd()}\n`
}

function takeRows(table: Table, room: number): { readonly rows: readonly string[]; readonly shown: number } {
  const rows: string[] = []
  let left = room - Buffer.byteLength(collapsed(table, []))
  const lines = markdownTable({ ...table, rows: table.rows.slice(0, MAX_ROWS) })
  for (const next of lines.slice(HEADER_LINES)) {
    left -= Buffer.byteLength(next) + 1
    if (left < 0) break
    rows.push(next)
  }
  return { rows, shown: rows.length }
}

function collapsed(table: Table, rows: readonly string[]): string {
  const lines = [
    '',
    `<details><summary>${table.title}</summary>`,
    '',
    ...markdownTable({ ...table, rows: [] }),
    ...rows,
    '',
    '</details>',
    '',
  ]
  return lines.join('\n')
}
