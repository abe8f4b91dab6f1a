/** A report for a terminal of 80 columns: for people to paste into a chat. */
import { formatBytes } from '../text/format.ts'
import { COLOURS } from './advice-text.ts'
import { oneLine } from './check-values.ts'
import { terminalLine, terminalText } from './escape.ts'
import { contentsOf, inLayers, type ReportContents, type ReportView } from './report-view.ts'
import { endFitted, fitted, lengthOf, type TextStyle, textTable, wrapped } from './table.ts'

const WIDTH = 80
const BOLD = '\x1b[1m'
const DIM = '\x1b[2m'
const RESET = '\x1b[0m'
/** Width of a figure's name, and of the first of two figures. */
const NAME = 15
const COLUMN = 36

type Paint = (text: string, code: string) => string

export function reportText(
  view: ReportView,
  { colour, width = WIDTH }: TextStyle = { colour: false },
): string {
  const { image } = view.report
  const contents = contentsOf(view)
  const paint: Paint = (text, code) => (colour ? `${code}${text}${RESET}` : text)
  const [head = '', ...rows] = textTable(contents.layers, { colour, width })
  const [largestHead = '', ...largest] = textTable(contents.largest, { colour, width })
  const lines = [
    paint(fitted(terminalText(`${image.reference} (${image.platform})`), width), BOLD),
    ...wrapped(contents.verdict, width, ''),
    ...itemLines(contents, width, paint),
    '',
    // Whole, to be copied.
    paint(terminalText(image.digest), DIM),
    ...(image.created === undefined
      ? []
      : [paint(terminalText(`Built ${image.created.slice(0, 16).replace('T', ' ')}`), DIM)]),
    '',
    ...figureLines(contents),
    '',
    paint(head, BOLD),
    ...rows,
    ...(largest.length === 0 ? [] : ['', paint(largestHead, BOLD), ...largest]),
    ...warningLines(contents, width, paint),
  ]
  return lines.map((line) => `${terminalLine(line.trimEnd())}\n`).join('')
}

/** Two side by side. */
function figureLines({ figures }: ReportContents): readonly string[] {
  const cells = figures.map(([name, value]) => `${name.padEnd(NAME)}${value}`)
  return cells.flatMap((figure, i) => (i % 2 === 0 ? [figure.padEnd(COLUMN) + (cells[i + 1] ?? '')] : []))
}

function itemLines({ items, more }: ReportContents, width: number, paint: Paint): readonly string[] {
  const lines = items.flatMap((item) => {
    const { severity, bytes, title, createdBy, fix } = item
    const step = createdBy === undefined ? '' : `: ${terminalText(oneLine(createdBy))}`
    const size = formatBytes(bytes).padStart(9)
    const indent = ' '.repeat(lengthOf(size) + 2)
    return [
      `${paint(size, COLOURS[severity])}  ${endFitted(`${title}${inLayers(item)}${step}`, width - indent.length)}`,
      ...wrapped(terminalText(fix), width, indent),
    ]
  })
  return more === undefined ? lines : [...lines, `  ${more}`]
}

function warningLines({ warnings }: ReportContents, width: number, paint: Paint): readonly string[] {
  if (warnings.length === 0) return []
  return [
    '',
    paint('Warnings', BOLD),
    ...warnings.map(({ what, path }) => {
      const said = `  ${what}${path === '' ? '' : ': '}`
      return said + fitted(terminalText(path), Math.max(width - lengthOf(said), 8))
    }),
  ]
}
