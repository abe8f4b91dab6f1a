/** One text file in two images, line by line: `/v1/diff/file`. */
import { FILE_HEADERS_ONLY, formatPatch, type StructuredPatchHunk } from 'diff'
import { allOf } from '../concurrency.ts'
import { Problem } from '../problem.ts'
import { type Change, findEdits } from './edits.ts'

/** Limit for each side, in bytes: a request may hold both at once. */
const MAX_TEXT_BYTES = 1024 * 1024
/** Where git looks for a NUL to detect a binary file. */
const SNIFFED_BYTES = 8_000

export type FileVersion = {
  /** In hex. */
  readonly sha256: string
  readonly bytes: number
}

/** One side's file. `open` is called at most once; its stream is read to the end or cancelled. */
export type FileSource = FileVersion & { readonly open: () => Promise<ReadableStream<Uint8Array>> }

export type Hunk = {
  /** Line numbers from 1; the preceding line if the hunk has no line on that side. */
  readonly fromStart: number
  readonly fromLines: number
  readonly toStart: number
  readonly toLines: number
  /** Each after its mark: ` ` in both, `-` only in `from`, `+` only in `to`, `\` for a remark on the previous line. */
  readonly lines: readonly string[]
}

export type TextDiff = {
  readonly path: string
  readonly pathBase64?: string
  /** Absent if the image has no such file. */
  readonly from?: FileVersion
  readonly to?: FileVersion
  readonly identical: boolean
  /** A NUL near its beginning: there are no hunks. */
  readonly binary: boolean
  /**
   * The search for the smallest difference was abandoned: one hunk replaces everything from the first difference to the last.
   */
  readonly coarse: boolean
  readonly hunks: readonly Hunk[]
}

/** How the lines of a diff became text: each character of `latin1` is a byte. */
export type LineEncoding = 'utf-8' | 'latin1'

export type ReadTextDiff = { readonly diff: TextDiff; readonly encoding: LineEncoding }

export type TextPair = {
  readonly path: string
  readonly pathBase64?: string | undefined
  readonly from?: FileSource | undefined
  readonly to?: FileSource | undefined
}

/**
 * @param pair at least one side has the file; contents with equal digests are not read
 * @param context lines around each change, 0 to 100
 * @throws Problem `too_large` for a text of more than 1 MiB
 */
export async function diffTextFiles(
  pair: TextPair,
  { context = 3 }: { context?: number } = {},
): Promise<ReadTextDiff> {
  const { path, pathBase64, from, to } = pair
  const identical = from?.sha256 === to?.sha256
  const [before, after] = identical ? [NOTHING, NOTHING] : await readBoth(from, to)
  const facts = {
    path,
    ...(pathBase64 === undefined ? {} : { pathBase64 }),
    ...(from === undefined ? {} : { from: versionOf(from) }),
    ...(to === undefined ? {} : { to: versionOf(to) }),
    identical,
  }
  if (before.kind === 'binary' || after.kind === 'binary') {
    return { diff: { ...facts, binary: true, coarse: false, hunks: [] }, encoding: 'utf-8' }
  }
  if (before.kind === 'large' || after.kind === 'large') {
    const bytes = Math.max(from?.bytes ?? 0, to?.bytes ?? 0)
    throw new Problem(
      'too_large',
      `the file has ${bytes} bytes; text diffs are limited to ${MAX_TEXT_BYTES} bytes`,
    )
  }
  const { texts, encoding } = decode(before.bytes, after.bytes)
  return { diff: { ...facts, binary: false, ...(await compare(...texts, context)) }, encoding }
}

/** Before the headers, where tools that apply a diff skip what they do not know. */
const COARSE =
  'The texts differ in too many places for a line-by-line comparison: everything from the first difference to the last is replaced.\n'

/**
 * As `diff -u` prints it: empty if nothing differs. Lines are the bytes of the files, so that `patch` applies them; names are
 * quoted.
 */
export function formatTextDiff({ diff, encoding }: ReadTextDiff): string | Uint8Array<ArrayBuffer> {
  const text = formatDiff(diff)
  if (encoding === 'utf-8') return text
  const head = formatDiff({ ...diff, hunks: [] })
  return Buffer.concat([Buffer.from(head), Buffer.from(text.slice(head.length), 'latin1')])
}

function formatDiff({ path, from, to, identical, binary, coarse, hunks }: TextDiff): string {
  if (identical) return ''
  const patch = {
    oldFileName: from === undefined ? '/dev/null' : `a/${path}`,
    newFileName: to === undefined ? '/dev/null' : `b/${path}`,
    oldHeader: from && `sha256:${from.sha256} ${from.bytes} bytes`,
    newHeader: to && `sha256:${to.sha256} ${to.bytes} bytes`,
    hunks: hunks.map(toLibraryHunk),
  }
  const text = formatPatch(patch, FILE_HEADERS_ONLY)
  if (binary) return `${text}Binary files differ\n`
  return coarse ? `${COARSE}${text}` : text
}

function versionOf({ sha256, bytes }: FileSource): FileVersion {
  return { sha256, bytes }
}

type Content =
  | { readonly kind: 'text'; readonly bytes: Uint8Array }
  | { readonly kind: 'binary' }
  | { readonly kind: 'large' }

const NOTHING: Content = { kind: 'text', bytes: new Uint8Array() }

async function readBoth(from?: FileSource, to?: FileSource): Promise<readonly [Content, Content]> {
  // Both are awaited, so that a failure of one leaves no stream of the other open.
  return allOf([read(from), read(to)])
}

async function read(source: FileSource | undefined): Promise<Content> {
  if (source === undefined) return NOTHING
  const large = source.bytes > MAX_TEXT_BYTES
  const bytes = new Uint8Array(large ? SNIFFED_BYTES : source.bytes)
  const reader = (await source.open()).getReader()
  let length = 0
  let binary = false
  try {
    while (length < bytes.length && !binary) {
      const { done, value } = await reader.read()
      if (done) break
      const chunk = value.subarray(0, bytes.length - length)
      if (length < SNIFFED_BYTES) binary = chunk.subarray(0, SNIFFED_BYTES - length).includes(0)
      bytes.set(chunk, length)
      length += chunk.length
    }
  } finally {
    await reader.cancel()
  }
  if (binary) return { kind: 'binary' }
  return large ? { kind: 'large' } : { kind: 'text', bytes: bytes.subarray(0, length) }
}

/** Unless both are UTF-8, both are read as Latin-1, byte by byte: different bytes must stay different. */
function decode(
  from: Uint8Array,
  to: Uint8Array,
): { readonly texts: readonly [string, string]; readonly encoding: LineEncoding } {
  try {
    const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
    return { texts: [decoder.decode(from), decoder.decode(to)], encoding: 'utf-8' }
  } catch {
    const texts = [Buffer.from(from).toString('latin1'), Buffer.from(to).toString('latin1')] as const
    return { texts, encoding: 'latin1' }
  }
}

async function compare(
  from: string,
  to: string,
  context: number,
): Promise<Pick<TextDiff, 'coarse' | 'hunks'>> {
  const [before, after] = [linesOf(from), linesOf(to)]
  const { changes, coarse } = await findEdits(before, after)
  const hunks = groupsOf(changes, context).map((group) => hunkOf(before, after, { group, context }))
  return { coarse, hunks }
}

/** With their line ends. */
function linesOf(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? []
}

/** Merges changes that share lines of context. */
function groupsOf(changes: readonly Change[], context: number): readonly (readonly Change[])[] {
  const groups: Change[][] = []
  for (const change of changes) {
    const group = groups.at(-1)
    const before = group?.at(-1)
    if (before !== undefined && change.fromStart - before.fromEnd <= 2 * context) group?.push(change)
    else groups.push([change])
  }
  return groups
}

function hunkOf(
  from: readonly string[],
  to: readonly string[],
  { group, context }: { readonly group: readonly Change[]; readonly context: number },
): Hunk {
  const [first, last] = [group[0], group.at(-1)]
  if (first === undefined || last === undefined) throw new Error('a hunk without a change')
  const head = Math.min(first.fromStart, first.toStart, context)
  const tail = Math.min(from.length - last.fromEnd, to.length - last.toEnd, context)
  const [fromStart, toStart] = [first.fromStart - head, first.toStart - head]
  const [fromLines, toLines] = [last.fromEnd + tail - fromStart, last.toEnd + tail - toStart]
  const lines: string[] = []
  let at = fromStart
  for (const change of group) {
    for (const line of from.slice(at, change.fromStart)) mark(lines, ' ', line)
    for (const line of from.slice(change.fromStart, change.fromEnd)) mark(lines, '-', line)
    for (const line of to.slice(change.toStart, change.toEnd)) mark(lines, '+', line)
    at = change.fromEnd
  }
  for (const line of from.slice(at, at + tail)) mark(lines, ' ', line)
  return {
    fromStart: fromLines === 0 ? fromStart : fromStart + 1,
    fromLines,
    toStart: toLines === 0 ? toStart : toStart + 1,
    toLines,
    lines,
  }
}

function mark(lines: string[], sign: string, line: string): void {
  if (line.endsWith('\n')) lines.push(sign + line.slice(0, -1))
  else lines.push(sign + line, '\\ No newline at end of file')
}

/** The library counts from 1 even if a hunk has no line on a side; the format then has the preceding line. */
function toLibraryHunk({ fromStart, fromLines, toStart, toLines, lines }: Hunk): StructuredPatchHunk {
  return {
    oldStart: fromLines === 0 ? fromStart + 1 : fromStart,
    oldLines: fromLines,
    newStart: toLines === 0 ? toStart + 1 : toStart,
    newLines: toLines,
    lines: [...lines],
  }
}
