/** Advice for a terminal of 80 columns. */
import type { AdviceItem } from '../advice/advise.ts'
import type { Severity } from '../gate/tables.ts'
import type { Advised } from '../service/images/advice.ts'
import { formatBytes, formatCount } from '../text/format.ts'
import { filesText, viewAdvice, worthwhileItems } from './advice-view.ts'
import { excludedBase } from './base-view.ts'
import { oneLine } from './check-values.ts'
import { terminalLine, terminalText } from './escape.ts'
import { endFitted, fitted, plainText, type TextStyle, textTable, wrapped } from './table.ts'

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
  { image, advice, autoBase, baseItems = [] }: Advised,
  fileBytes: number,
  { colour, width = WIDTH }: TextStyle = { colour: false },
): string {
  const painted = (text: string, code: string) => (colour ? `${code}${text}${RESET}` : text)
  const { reference, platform } = image.identity
  const { items, savings } = viewAdvice(advice, fileBytes)
  const lines = [
    fitted(terminalText(`${reference} (${platform})`), width),
    ...(autoBase === undefined ? [] : wrapped(plainText(excludedBase(autoBase)), width)),
    painted(savings, BOLD),
    ...items.flatMap((item) => [
      '',
      ...itemLines(item, width, (text) => painted(text, COLOURS[item.severity])),
    ]),
    ...baseLines(worthwhileItems(baseItems, fileBytes), width),
  ]
  return lines.map((line) => `${terminalLine(line)}\n`).join('')
}

/** In a line each: what to do about them is up to the base's maker, or to another base. */
function baseLines(items: readonly AdviceItem[], width: number): readonly string[] {
  if (items.length === 0) return []
  return [
    '',
    'Of the base image:',
    ...items.map(({ bytes, title }) => endFitted(`${INDENT}${formatBytes(bytes)}  ${title}`, width)),
  ]
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
    `${INDENT}${endFitted(`${filesText(item)}${step}`, width - INDENT.length)}`,
    ...table.map((line) => `${INDENT}${line}`),
    ...(more > 0 ? [`${INDENT}… and ${formatCount(more)} more`] : []),
    ...wrapped(terminalText(fix), width, INDENT),
  ]
}
