/** Tables for people, in a terminal of 80 columns and in Markdown. */
import { eastAsianWidth } from 'get-east-asian-width'
import { markdownCode, terminalText } from './escape.ts'

/** Hostile text from an image or a reference. */
export type Name = { readonly name: string }

/** Words of ours, or a name. */
export type Piece = string | Name

export type Sign = '+' | '-' | '~'

export type Row = PlainRow & {
  /** Whether it was added, removed or changed; whether it grew or shrank. */
  readonly sign: Sign
}

/** Without a sign a row has no colour. */
export type PlainRow = { readonly sign?: Sign; readonly cells: readonly (readonly Piece[])[] }

export type PlainTable = { readonly columns: readonly TableColumn[]; readonly rows: readonly PlainRow[] }

export type TableColumn = {
  readonly title: string | Name
  readonly align: 'left' | 'right'
  /** What is cut from a text that is too long: the middle, for names whose end says most, or the end. */
  readonly cut?: 'middle' | 'end'
  /** The most columns of a terminal that it takes from the others. */
  readonly most?: number
}

export type Table = {
  /** The ID of its section in a page. */
  readonly id?: string
  readonly title: string
  /** What a row is called, in the plural: `packages`. */
  readonly noun: string
  readonly columns: readonly TableColumn[]
  readonly rows: readonly Row[]
}

/** ANSI codes: red for what was added or grew, green for what was removed or shrank. */
const COLOURS: Readonly<Record<Sign, string>> = { '+': '\x1b[31m', '-': '\x1b[32m', '~': '\x1b[33m' }
const RESET = '\x1b[0m'

export type TextStyle = {
  /** Whether ANSI colours mark good and bad. */
  readonly colour: boolean
  /** Width of the terminal in columns; 80 by default. */
  readonly width?: number
}

const WIDTH = 80
const GAP = 2
/** A shorter piece of a name says nothing. */
const LEAST_NAME = 16

/** Beyond this code point characters may be wide, or have no width. */
const ALWAYS_NARROW = /^[\x20-\x7e]*$/

function columnsOf(character: string): number {
  return /[\p{Mn}\p{Me}]/u.test(character) ? 0 : eastAsianWidth(character.codePointAt(0) ?? 0)
}

/** Width in columns of a terminal. */
export function lengthOf(text: string): number {
  if (ALWAYS_NARROW.test(text)) return text.length
  return Array.from(text).reduce((sum, character) => sum + columnsOf(character), 0)
}

/** As many characters as fit. */
function beginning(characters: readonly string[], width: number): readonly string[] {
  let room = width
  const end = characters.findIndex((character) => {
    room -= columnsOf(character)
    return room < 0
  })
  return end < 0 ? characters : characters.slice(0, end)
}

/** Cuts a name that is too long in the middle: the end of a path says most. */
export function fitted(text: string, width: number): string {
  if (lengthOf(text) <= width) return text
  const characters = Array.from(text)
  const tail = Math.ceil((width - 1) * 0.7)
  const head = beginning(characters, Math.max(width - 1 - tail, 0))
  const end = beginning(characters.toReversed(), tail).toReversed()
  return `${head.join('')}…${end.join('')}`
}

/** Cuts a sentence that is too long at the end. */
export function endFitted(text: string, width: number): string {
  if (lengthOf(text) <= width) return text
  return `${beginning(Array.from(text), width - 1).join('')}…`
}

/** As lines of a terminal: nothing in them can be executed or change how the rest looks. */
export function textTable({ columns, rows }: PlainTable, style: TextStyle): string[] {
  const { head, lines } = textLayout(columns, rows, style)
  return [...head, ...lines(rows)]
}

export type TextLayout = {
  /** The line of titles; none if no column has one. */
  readonly head: readonly string[]
  lines(rows: readonly PlainRow[]): string[]
}

/**
 * A table whose rows arrive in batches.
 *
 * @param sample rows that decide the widths of its columns
 */
export function textLayout(
  columns: readonly TableColumn[],
  sample: readonly PlainRow[],
  { colour, width = WIDTH }: TextStyle,
): TextLayout {
  const titles = columns.map(({ title }) => plainText([title]))
  const cells = sample.map((row) => row.cells.map(plainText))
  const widths = columns.map(({ most: widest = Infinity }, i) =>
    Math.min(
      widest,
      [titles, ...cells].reduce((most, texts) => Math.max(most, lengthOf(texts[i] ?? '')), 0),
    ),
  )
  shrink(widths, width)
  const line = (texts: readonly string[]): string =>
    columns
      .map(({ align, cut }, i) => {
        const room = widths[i] ?? 0
        const text = texts[i] ?? ''
        return padded(cut === 'end' ? endFitted(text, room) : fitted(text, room), room, align)
      })
      .join(' '.repeat(GAP))
      .trimEnd()
  const head = titles.some((title) => title !== '') ? [line(titles)] : []
  const painted = (text: string, sign: Sign | undefined) =>
    colour && sign !== undefined ? `${COLOURS[sign]}${text}${RESET}` : text
  return { head, lines: (rows) => rows.map(({ cells, sign }) => painted(line(cells.map(plainText)), sign)) }
}

/** Narrows the widest column until the line fits. */
function shrink(widths: number[], width: number): void {
  const over = widths.reduce((sum, one) => sum + one, 0) + GAP * (widths.length - 1) - width
  const widest = widths.indexOf(Math.max(...widths))
  if (over > 0) widths[widest] = Math.max((widths[widest] ?? 0) - over, LEAST_NAME)
}

function padded(text: string, width: number, align: TableColumn['align']): string {
  const padding = ' '.repeat(Math.max(0, width - lengthOf(text)))
  return align === 'left' ? text + padding : padding + text
}

/** Words and names for a terminal. */
export function plainText(pieces: readonly Piece[]): string {
  return pieces.map((piece) => (typeof piece === 'string' ? piece : terminalText(piece.name))).join('')
}

/** Between words, but not between a number and its unit. */
const SPACE = / (?![kMGT]?B\b)/

/** A sentence in lines of at most `width` columns; longer words are broken. */
export function wrapped(text: string, width: number, indent = ''): string[] {
  const room = Math.max(width - lengthOf(indent), 1)
  if (text !== '' && lengthOf(text) <= room) return [indent + text]
  const lines: string[] = []
  let line = ''
  for (const word of text.split(SPACE).flatMap((one) => broken(one, room))) {
    const longer = line === '' ? word : `${line} ${word}`
    if (line !== '' && lengthOf(longer) > room) {
      lines.push(indent + line)
      line = word
    } else line = longer
  }
  return line === '' ? lines : [...lines, indent + line]
}

function broken(word: string, width: number): readonly string[] {
  if (lengthOf(word) <= width) return [word]
  const characters = Array.from(word)
  const first = beginning(characters, width)
  return [first.join(''), ...broken(characters.slice(Math.max(first.length, 1)).join(''), width)]
}

/** As a table of GitHub Flavored Markdown. */
export function markdownTable({ columns, rows }: PlainTable): string[] {
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
