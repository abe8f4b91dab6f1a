/** What each tool says of the size of an image, for a terminal and in Markdown. */
import type { ImageIdentity } from '../image/report.ts'
import type { ToolSize } from '../storage/tool-sizes.ts'
import { formatBytes } from '../text/format.ts'
import { markdownCode, terminalLine, terminalText } from './escape.ts'
import { fitted, markdownTable, type PlainTable, type TextStyle, wrapped } from './table.ts'

const WIDTH = 80
const INDENT = ' '.repeat(12)

export type SizesView = { readonly image: ImageIdentity; readonly items: readonly ToolSize[] }

export function sizesText(
  { image, items }: SizesView,
  { width = WIDTH }: TextStyle = { colour: false },
): string {
  const lines = [
    fitted(terminalText(`${image.reference} (${image.platform})`), width),
    ...items.flatMap((item) => [
      '',
      `${sizeOf(item).padStart(10)}  ${item.tool}: ${item.what}`,
      ...wrapped(item.explanation, width, INDENT),
    ]),
  ]
  return lines.map((line) => `${terminalLine(line)}\n`).join('')
}

export function sizesMarkdown({ image, items }: SizesView): string {
  const table: PlainTable = {
    columns: [
      { title: 'Tool', align: 'left' },
      { title: 'Size', align: 'right' },
      { title: 'What it counts', align: 'left' },
    ],
    rows: items.map((item) => ({
      cells: [[`${item.tool}: ${item.what}`], [sizeOf(item)], [item.explanation]],
    })),
  }
  return `### What tools say of ${markdownCode(image.reference)}\n\n${markdownTable(table).join('\n')}\n`
}

export function sizeOf({ bytes, exact }: ToolSize): string {
  return bytes === undefined ? 'unknown' : `${exact ? '' : '≈ '}${formatBytes(bytes)}`
}
