/** A report for a terminal of 80 columns: what people paste into a chat. */
import { formatBytes } from '../text/format.ts'
import { savingsSentence } from './advice-text.ts'
import { oneLine } from './check-values.ts'
import { terminalLine, terminalText } from './escape.ts'
import {
  figuresOf,
  largestFilesTable,
  layerTable,
  placeOf,
  type ReportView,
  warningsOf,
  worstOf,
} from './report-view.ts'
import { endFitted, fitted, lengthOf, type TextStyle, textTable, wrapped } from './table.ts'

const WIDTH = 80
const BOLD = '\x1b[1m'
const DIM = '\x1b[2m'
const RED = '\x1b[31m'
const YELLOW = '\x1b[33m'
const RESET = '\x1b[0m'
/** Of a figure's name, and of the first of two. */
const NAME = 15
const COLUMN = 36

type Paint = (text: string, code: string) => string

export function reportText(
  view: ReportView,
  { colour, width = WIDTH }: TextStyle = { colour: false },
): string {
  const { report, advice } = view
  const { image, layers } = report
  const paint: Paint = (text, code) => (colour ? `${code}${text}${RESET}` : text)
  const created = image.created === undefined ? '' : `  ${image.created.slice(0, 16).replace('T', ' ')}`
  const [head = '', ...rows] = textTable(layerTable(layers), { colour, width })
  const [largestHead = '', ...largest] = textTable(largestFilesTable(report), { colour, width })
  const lines = [
    paint(fitted(terminalText(`${image.reference} (${image.platform})`), width), BOLD),
    paint(fitted(terminalText(image.digest), width - created.length) + terminalText(created), DIM),
    '',
    ...figureLines(view),
    '',
    paint(head, BOLD),
    ...rows,
    ...(largest.length === 0 ? [] : ['', paint(largestHead, BOLD), ...largest]),
    '',
    paint(savingsSentence(advice), BOLD),
    ...worstLines(view, width, paint),
    ...warningLines(view, width, paint),
  ]
  return lines.map((line) => `${terminalLine(line.trimEnd())}\n`).join('')
}

/** Two side by side. */
function figureLines({ report }: ReportView): readonly string[] {
  const figures = figuresOf(report).map(([name, value]) => `${name.padEnd(NAME)}${value}`)
  return figures.flatMap((figure, i) => (i % 2 === 0 ? [figure.padEnd(COLUMN) + (figures[i + 1] ?? '')] : []))
}

function worstLines({ advice }: ReportView, width: number, paint: Paint): readonly string[] {
  return worstOf(advice).flatMap((item) => {
    const { severity, bytes, title, createdBy, fix } = item
    const step = createdBy === undefined ? '' : `: ${terminalText(oneLine(createdBy))}`
    const size = formatBytes(bytes).padStart(9)
    const indent = ' '.repeat(lengthOf(size) + 2)
    return [
      `${paint(size, severity === 'error' ? RED : YELLOW)}  ${endFitted(`${title}${placeOf(item)}${step}`, width - indent.length)}`,
      ...wrapped(terminalText(fix), width, indent),
    ]
  })
}

function warningLines({ report }: ReportView, width: number, paint: Paint): readonly string[] {
  const warnings = warningsOf(report)
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
