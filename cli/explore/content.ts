/** The content of a file for the screen: text with line numbers, else hex as `hexdump -C` writes it. */
import { terminalText } from '../../src/formats/escape.ts'
import { formatBytes } from '../../src/text/format.ts'
import type { PagerText } from './pager.ts'

/** More of a file is not shown. */
const MOST_BYTES = 16 * 2 ** 20
const TAB = '    '
const HEX_BYTES = 16

export type Content = { readonly bytes: Buffer; readonly isCut: boolean }

/** The beginning of an answer's body; what is beyond is not read. */
export async function readContent(response: Response): Promise<Content> {
  const chunks: Uint8Array[] = []
  let length = 0
  for await (const chunk of response.body ?? []) {
    chunks.push(chunk)
    length += chunk.length
    if (length > MOST_BYTES) return { bytes: Buffer.concat(chunks).subarray(0, MOST_BYTES), isCut: true }
  }
  return { bytes: Buffer.concat(chunks), isCut: false }
}

/** Whether it is worth asking what is inside: an archive or a program. */
export function hasInside(bytes: Buffer): boolean {
  const starts = (...first: readonly number[]) => first.every((byte, i) => bytes[i] === byte)
  return (
    starts(0x50, 0x4b, 3, 4) ||
    starts(0x7f, 0x45, 0x4c, 0x46) ||
    starts(0x1f, 0x8b) ||
    starts(0x28, 0xb5, 0x2f, 0xfd) ||
    bytes.toString('latin1', 0, 8) === '!<arch>\n' ||
    bytes.toString('latin1', 257, 262) === 'ustar'
  )
}

export function contentText(title: string, content: Content): PagerText {
  const { bytes, isCut } = content
  const shown = isCut ? `${title}, the first ${formatBytes(bytes.length)}` : title
  return textOf(shown, content) ?? hexText(shown, bytes)
}

/** Undefined for what is not UTF-8, or has NUL. */
function textOf(title: string, { bytes, isCut }: Content): PagerText | undefined {
  if (bytes.includes(0)) return undefined
  const whole = isCut ? bytes.subarray(0, Math.max(bytes.lastIndexOf('\n'), 0)) : bytes
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(whole)
  } catch {
    return undefined
  }
  const lines = text.split('\n')
  if (lines.at(-1) === '') lines.pop()
  return {
    title,
    count: lines.length,
    isNumbered: true,
    line: (index) => terminalText((lines[index] ?? '').replace(/\r$/, '').replaceAll('\t', TAB)),
  }
}

function hexText(title: string, bytes: Buffer): PagerText {
  const count = Math.ceil(bytes.length / HEX_BYTES)
  return {
    title,
    count: count + 1,
    line: (index) => (index < count ? hexLine(bytes, index * HEX_BYTES) : offset(bytes.length)),
  }
}

function offset(at: number): string {
  return at.toString(16).padStart(8, '0')
}

/** `00000000  de ad be ef 00 01 02 03  04 05 06 07 08 09 0a 0b  |................|` */
function hexLine(bytes: Buffer, at: number): string {
  const part = bytes.subarray(at, at + HEX_BYTES)
  const hex = Array.from(part, (byte) => byte.toString(16).padStart(2, '0'))
  const halves = [hex.slice(0, 8).join(' '), hex.slice(8).join(' ')]
  const text = Array.from(part, (byte) =>
    byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.',
  ).join('')
  return `${offset(at)}  ${(halves[0] ?? '').padEnd(23)}  ${(halves[1] ?? '').padEnd(23)}  |${text}|`
}
