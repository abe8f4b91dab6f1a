/** Text databases line by line: however large a line, only a piece of it is held at a time. */
import { WorkBudget } from '../../concurrency.ts'
import { type ByteString, toByteString } from '../../text/bytes.ts'
import type { DatabaseContent } from './found.ts'

/** The rest of longer lines is dropped. Debian's longest, the thousands of names that some packages provide, come close. */
export const MAX_LINE_BYTES = 64 * 1024
/** How much is split at once. */
const PIECE_BYTES = 64 * 1024
/** A byte here costs some thirty times as much as a byte of a file's content, which the budget is meant for. */
const WORK_A_BYTE = 32
/** A line costs as much as a thousand bytes, however short it is. */
const WORK_A_LINE = 1_024
/** How many lines are passed on at once. */
const MOST_LINES = 4_000

/**
 * Lines without their ends, many at once; the last one even without a line end. A line may be a slice of a larger string: copy
 * what you keep.
 */
export async function* linesOf(content: DatabaseContent): AsyncGenerator<readonly ByteString[]> {
  const budget = new WorkBudget()
  let begun: ByteString = ''
  for await (const chunk of content) {
    for (let at = 0; at < chunk.length; at += PIECE_BYTES) {
      const piece = toByteString(chunk.subarray(at, at + PIECE_BYTES))
      let lines: ByteString[] = []
      let start = 0
      for (let end = piece.indexOf('\n'); end >= 0; end = piece.indexOf('\n', start)) {
        lines.push(joined(begun, piece.slice(start, end)))
        begun = ''
        start = end + 1
        if (lines.length < MOST_LINES) continue
        yield lines
        lines = []
        if (budget.isDue(WORK_A_LINE * MOST_LINES)) await budget.yield()
      }
      begun = joined(begun, piece.slice(start))
      if (lines.length > 0) yield lines
      if (budget.isDue(WORK_A_BYTE * piece.length + WORK_A_LINE * lines.length)) await budget.yield()
    }
  }
  if (begun !== '') yield [begun]
}

function joined(begun: ByteString, rest: ByteString): ByteString {
  return begun === '' ? rest : begun + rest.slice(0, Math.max(0, MAX_LINE_BYTES - begun.length))
}

/** Without the carriage return of Windows. */
export function withoutReturn(line: ByteString): ByteString {
  return line.endsWith('\r') ? line.slice(0, -1) : line
}
