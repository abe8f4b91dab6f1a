/** Advice for a terminal of 80 columns. */
import type { Advice, AdviceItem } from '../advice/advise.ts'
import type { Severity } from '../gate/tables.ts'
import type { ImageIdentity } from '../image/report.ts'
import { formatBytes, formatCount, formatFigure } from '../text/format.ts'
import { oneLine } from './check-values.ts'
import { terminalLine, terminalText } from './escape.ts'
import { endFitted, fitted, type TextStyle, textTable, wrapped } from './table.ts'

const WIDTH = 80
/** A terminal has room for few of the ten paths. */
const PATHS = 3
const INDENT = '  '

/** The severity as an ANSI colour. */
export const COLOURS: Readonly<Record<Severity, string>> = {
  error: '\x1b[31m',
  warning: '\x1b[33m',
  info: '\x1b[36m',
}
const RESET = '\x1b[0m'
const BOLD = '\x1b[1m'

export function adviceText(
  image: Pick<ImageIdentity, 'reference' | 'platform'>,
  advice: Advice,
  { colour, width = WIDTH }: TextStyle = { colour: false },
): string {
  const painted = (text: string, code: string) => (colour ? `${code}${text}${RESET}` : text)
  const lines = [
    fitted(terminalText(`${image.reference} (${image.platform})`), width),
    painted(savingsSentence(advice), BOLD),
    ...advice.items.flatMap((item) => [
      '',
      ...itemLines(item, width, (text) => painted(text, COLOURS[item.severity])),
    ]),
  ]
  return lines.map((line) => `${terminalLine(line)}\n`).join('')
}

/** `100 MB can be saved, 43.1% of the bytes in files` */
export function savingsSentence({ savings, items }: Advice): string {
  if (items.length === 0) return 'There is nothing to change.'
  if (savings.bytes === 0) return 'There is nothing to save without a closer look.'
  return `${formatBytes(savings.bytes)} can be saved, ${formatFigure(savings.percent)}% of the bytes in files.`
}

function itemLines(item: AdviceItem, width: number, painted: (text: string) => string): readonly string[] {
  const { severity, title, bytes, files, createdBy, paths, fix } = item
  const rows = paths.slice(0, PATHS).map(({ path, bytes: size }) => ({
    sign: '~' as const,
    cells: [[formatBytes(size)], [{ name: path }]],
  }))
  const columns = [
    { title: '', align: 'right' as const },
    { title: '', align: 'left' as const },
  ]
  const table = textTable({ columns, rows }, { colour: false, width: width - INDENT.length })
  const more = files - Math.min(paths.length, PATHS)
  const step = createdBy === undefined ? '' : `: ${terminalText(oneLine(createdBy))}`
  return [
    `${painted(severity)}  ${formatBytes(bytes)}  ${title}`,
    `${INDENT}${endFitted(`${countOf(files)}${placeOf(item)}${step}`, width - INDENT.length)}`,
    ...table.map((line) => `${INDENT}${line}`),
    ...(more > 0 ? [`${INDENT}… and ${formatCount(more)} more`] : []),
    ...wrapped(terminalText(fix), width, INDENT),
  ]
}

function countOf(files: number): string {
  return `${formatCount(files)} ${files === 1 ? 'file' : 'files'}`
}

/** ` of layer 1, hidden by layer 5, line 12 of the Dockerfile` */
export function placeOf({ layer, byLayer, line }: AdviceItem): string {
  const stored = layer === undefined ? '' : ` of layer ${layer}`
  const hidden = byLayer === undefined ? '' : `, hidden by layer ${byLayer}`
  return `${stored}${hidden}${line === undefined ? '' : `, line ${line}`}`
}
