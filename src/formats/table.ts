/** Tables as people read them, in a terminal of 80 columns and in Markdown. */
import { markdownCode, terminalText } from './escape.ts'

/** Hostile text out of an image or a reference. */
export type Name = { readonly name: string }

/** Words of ours, or a name. */
export type Piece = string | Name

export type Sign = '+' | '-' | '~'

export type Row = {
  /** Whether it came, went or changed; whether it grew or shrank. */
  readonly sign: Sign
  readonly cells: readonly (readonly Piece[])[]
}

export type Column = { readonly title: string | Name; readonly align: 'left' | 'right' }

export type Table = {
  /** Names its section in a page. */
  readonly id?: string
  readonly title: string
  /** What a row is, in the plural: `packages`. */
  readonly noun: string
  readonly columns: readonly Column[]
  readonly rows: readonly Row[]
}

/** ANSI codes: red for what came or grew, green for what went or shrank. */
const COLOURS: Readonly<Record<Sign, string>> = { '+': '\x1b[31m', '-': '\x1b[32m', '~': '\x1b[33m' }
const RESET = '\x1b[0m'

export type TextStyle = {
  /** Whether ANSI codes tell what is good and what is bad. */
  readonly colour: boolean
  /** Columns of the terminal; 80 by default. */
  readonly width?: number
}

const WIDTH = 80
const GAP = 2
/** Less of a name says nothing. */
const LEAST_NAME = 16

/** In characters, which are columns for most of what images hold. */
export function lengthOf(text: string): number {
  return Array.from(text).length
}

/** A name that is too long loses its middle: the end of a path says most. */
export function fitted(text: string, width: number): string {
  const characters = Array.from(text)
  if (characters.length <= width) return text
  const tail = Math.ceil((width - 1) * 0.7)
  const head = Math.max(width - 1 - tail, 0)
  return `${characters.slice(0, head).join('')}…${characters.slice(characters.length - tail).join('')}`
}

/** As lines of a terminal: nothing in them can be executed or change how others look. */
export function textTable({ columns, rows }: Pick<Table, 'columns' | 'rows'>, style: TextStyle): string[] {
  const { colour, width = WIDTH } = style
  const titles = columns.map(({ title }) => plainText([title]))
  const cells = rows.map((row) => row.cells.map(plainText))
  const widths = columns.map((_, i) =>
    Math.max(...[titles, ...cells].map((texts) => lengthOf(texts[i] ?? ''))),
  )
  shrink(widths, width)
  const line = (texts: readonly string[]): string =>
    columns
      .map(({ align }, i) => padded(fitted(texts[i] ?? '', widths[i] ?? 0), widths[i] ?? 0, align))
      .join(' '.repeat(GAP))
      .trimEnd()
  const head = titles.some((title) => title !== '') ? [line(titles)] : []
  return [
    ...head,
    ...rows.map((row, i) => {
      const text = line(cells[i] ?? [])
      return colour ? `${COLOURS[row.sign]}${text}${RESET}` : text
    }),
  ]
}

/** Takes from the widest column what is too much for the line. */
function shrink(widths: number[], width: number): void {
  const over = widths.reduce((sum, one) => sum + one, 0) + GAP * (widths.length - 1) - width
  const widest = widths.indexOf(Math.max(...widths))
  if (over > 0) widths[widest] = Math.max((widths[widest] ?? 0) - over, LEAST_NAME)
}

function padded(text: string, width: number, align: Column['align']): string {
  const padding = ' '.repeat(Math.max(0, width - lengthOf(text)))
  return align === 'left' ? text + padding : padding + text
}

/** Words and names for a terminal. */
export function plainText(pieces: readonly Piece[]): string {
  return pieces.map((piece) => (typeof piece === 'string' ? piece : terminalText(piece.name))).join('')
}

/** A sentence in lines of at most `width` columns; a longer word is a line. */
export function wrapped(text: string, width: number, indent = ''): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`
    if (line !== '' && lengthOf(indent) + lengthOf(longer) > width) {
      lines.push(indent + line)
      line = word
    } else line = longer
  }
  return line === '' ? lines : [...lines, indent + line]
}

/** As a table of GitHub Flavored Markdown. */
export function markdownTable({ columns, rows }: Pick<Table, 'columns' | 'rows'>): string[] {
  const titles = columns.map(({ title }) => markdownPieces([title]))
  const rules = columns.map(({ align }) => (align === 'right' ? '---:' : '---'))
  return [
    `| ${titles.join(' | ')} |`,
    `| ${rules.join(' | ')} |`,
    ...rows.map(({ cells }) => `| ${cells.map(markdownPieces).join(' | ')} |`),
  ]
}

/** Our own words as they are, names as code. */
export function markdownPieces(pieces: readonly Piece[]): string {
  return pieces.map((piece) => (typeof piece === 'string' ? piece : markdownCode(piece.name))).join('')
}
