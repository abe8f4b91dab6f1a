/** The beginning of a file: text with line numbers, anything else as hex. */
import { html } from 'hono/html'
import { visible } from '../../formats/escape.ts'
import { formatBytes, formatCount } from '../../text/format.ts'
import type { Html } from '../page.ts'

/** How much of a file is read for its page. */
export const FIRST_BYTES = 128 * 1024
const HEX_BYTES = 4096
const HEX_COLUMNS = 16
const MAX_LINES = 2000
const MAX_LINE = 1000

export type ContentView =
  | { readonly kind: 'text'; readonly lines: readonly string[]; readonly isWhole: boolean }
  | { readonly kind: 'hex'; readonly rows: readonly string[]; readonly isWhole: boolean }

/** @param bytes of the whole file */
export function viewContent(first: Uint8Array, bytes: number): ContentView {
  const text = asText(first, first.length < bytes)
  if (text === undefined) {
    return { kind: 'hex', rows: hexRows(first.subarray(0, HEX_BYTES)), isWhole: bytes <= HEX_BYTES }
  }
  const lines = text.split(/\r?\n/)
  if (lines.at(-1) === '') lines.pop()
  const shown = lines.slice(0, MAX_LINES)
  const isCut = shown.length < lines.length || shown.some((line) => line.length > MAX_LINE)
  return {
    kind: 'text',
    lines: shown.map((line) => (line.length > MAX_LINE ? `${line.slice(0, MAX_LINE)}…` : line)),
    isWhole: first.length === bytes && !isCut,
  }
}

/** Undefined if the bytes are not UTF-8, or have control characters of binary files. */
function asText(bytes: Uint8Array, isCut: boolean): string | undefined {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: isCut })
    return text.includes('\0') ? undefined : text
  } catch {
    return undefined
  }
}

/** `00000010  7f 45 4c 46 …  .ELF…` */
function hexRows(bytes: Uint8Array): readonly string[] {
  const rows: string[] = []
  for (let at = 0; at < bytes.length; at += HEX_COLUMNS) {
    const row = Array.from(bytes.subarray(at, at + HEX_COLUMNS))
    const hex = row.map((byte) => byte.toString(16).padStart(2, '0')).join(' ')
    const text = row.map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.')).join('')
    rows.push(`${at.toString(16).padStart(8, '0')}  ${hex.padEnd(3 * HEX_COLUMNS - 1)}  ${text}`)
  }
  return rows
}

export function contentOf(content: ContentView, bytes: number): Html {
  const rest =
    !content.isWhole &&
    html`<p class="raw">Only the beginning is shown; the file is ${formatBytes(bytes)}.</p>`
  if (content.kind === 'hex') {
    return html`<div class="scroll" tabindex="0" role="region" aria-label="Content"><pre class="hex">${content.rows.join('\n')}</pre></div>${rest}`
  }
  if (content.lines.length === 0) return html`<p class="none">The file is empty.</p>`
  // Tabs stay: they indent source code.
  return html`<div class="scroll" tabindex="0" role="region" aria-label="Content, ${formatCount(content.lines.length)} lines"><ol class="lines">${content.lines.map(
    (line, at) => html`<li id="L${at + 1}"><code>${line.split('\t').map(visible).join('\t')}</code></li>`,
  )}</ol></div>${rest}`
}
