/** The tool `file`: a page of a file's text, as it is. */
import { type Continuation, nameOf, readCursor, requireSame, writeCursor } from './cursor.ts'
import { invalidArgument } from './query.ts'
import { RESULT_BYTES, type Result, roomFor, textOf } from './result.ts'
import { visibleText } from './visible.ts'

/** Of a file that is not text. */
const HEX_BYTES = 256
const HEX_LINE_BYTES = 16
/** A character takes at most four. */
const WINDOW_BYTES = RESULT_BYTES + 4
const LONGEST_CURSOR = writeCursor({ skipped: Number.MAX_SAFE_INTEGER, of: nameOf() })

/** @throws Problem `invalid_parameter` */
export function continuationInFile(given: Readonly<Record<string, unknown>>): Continuation {
  const { offset, cursor } = given
  if (offset === undefined) return readCursor(cursor)
  if (cursor !== undefined) throw invalidArgument('offset', 'cannot stand beside cursor')
  if (typeof offset === 'number' && Number.isSafeInteger(offset) && offset >= 0) return { skipped: offset }
  throw invalidArgument('offset', 'must be a whole number, 0 or more')
}

/** @param query what was asked, without a cursor */
export async function filePage(
  response: Response,
  query: string,
  continuation: Continuation,
): Promise<Result> {
  const of = nameOf(query, response.headers.get('ETag') ?? '')
  if (continuation.of !== undefined) requireSame(continuation, of)
  const { bytes, isEnd } = await readWindow(response, continuation.skipped)
  const text = textIn(bytes, isEnd)
  const from = `from byte ${continuation.skipped} on`
  if (text === undefined) {
    const sentence = `The file is not UTF-8 text ${from}: these are up to ${HEX_BYTES} bytes as hex.`
    return { text: textOf({ sentence, data: hex(bytes.subarray(0, HEX_BYTES)) }), isError: false }
  }
  const sentence = `The text of the file, ${from}.`
  const page = pageOf(text, roomFor({ sentence, cursor: LONGEST_CURSOR }))
  const given = Buffer.byteLength(page)
  const cursor =
    isEnd && page.length === text.length
      ? undefined
      : writeCursor({ skipped: continuation.skipped + given, of })
  return { text: textOf({ sentence, data: visibleText(page), cursor }), isError: false }
}

type Window = { readonly bytes: Uint8Array; readonly isEnd: boolean }

/** What a page is made of. Content before it is read, but not kept. */
async function readWindow({ body }: Response, offset: number): Promise<Window> {
  const window = new Uint8Array(WINDOW_BYTES)
  let [position, length] = [0, 0]
  for await (const chunk of body ?? []) {
    const part = chunk.subarray(Math.max(0, Math.min(chunk.length, offset - position)))
    position += chunk.length
    const fits = part.subarray(0, WINDOW_BYTES - length)
    window.set(fits, length)
    length += fits.length
    if (fits.length < part.length) return { bytes: window, isEnd: false }
  }
  return { bytes: window.subarray(0, length), isEnd: true }
}

/** undefined if it is not text, whatever character the window begins or ends in */
function textIn(bytes: Uint8Array, isEnd: boolean): string | undefined {
  if (bytes.includes(0)) return undefined
  const start = bytes.subarray(0, 4).findIndex((byte) => (byte & 0xc0) !== 0x80)
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
  try {
    return decoder.decode(bytes.subarray(Math.max(0, start)), { stream: !isEnd })
  } catch {
    return undefined
  }
}

/** Ends after a line where there is one. */
function pageOf(text: string, bytes: number): string {
  let [end, taken] = [0, 0]
  for (const character of text) {
    taken += Buffer.byteLength(visibleText(character))
    if (taken > bytes) break
    end += character.length
  }
  if (end === text.length) return text
  const line = text.lastIndexOf('\n', end - 1) + 1
  return text.slice(0, line > 0 ? line : end)
}

function hex(bytes: Uint8Array): string {
  const lines: string[] = []
  for (let at = 0; at < bytes.length; at += HEX_LINE_BYTES) {
    const line = bytes.subarray(at, at + HEX_LINE_BYTES)
    lines.push([...line].map((byte) => byte.toString(16).padStart(2, '0')).join(' '))
  }
  return lines.join('\n')
}
