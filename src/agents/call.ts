/** Calls a tool: asks its endpoint, and writes the answer for an agent. */
import { Problem, problemTitle } from '../problem.ts'
import { parseJson } from '../text/json.ts'
import { type Continuation, nameOf, readCursor, requireSame, writeCursor } from './cursor.ts'
import { linesOf, listLines } from './lines.ts'
import { queryOf } from './query.ts'
import { continuationInFile, filePage } from './read-file.ts'
import { type Result, roomFor, textOf } from './result.ts'
import type { Tool } from './tools.ts'

/** Asks the API. @param path with its query */
export type Ask = (path: string, signal: AbortSignal) => Promise<Response>

export type Call = {
  readonly tool: Tool
  readonly given: Readonly<Record<string, unknown>>
  readonly ask: Ask
  readonly signal: AbortSignal
}

type Fields = Readonly<Record<string, unknown>>

const PENDING = 202
const RULE_BROKEN = 412

export async function callTool({ tool, given, ask, signal }: Call): Promise<Result> {
  try {
    const query = queryOf(tool.inputSchema, given)
    const { name, path } = tool
    if (name === 'file') {
      const continuation = continuationInFile(given)
      const response = await ask(`${path}?${query}`, signal)
      return response.ok
        ? await filePage(response, `${query}`, continuation)
        : refusal(await fieldsOf(response))
    }
    const continuation = readCursor(given.cursor)
    const asked = `${query}`
    if (continuation.page !== undefined) query.set('cursor', continuation.page)
    const response = await ask(`${path}?${query}`, signal)
    const text = await response.text()
    const fields = fieldsIn(text)
    const { status } = response
    if (status === PENDING) return refusal({ code: 'analysis_pending', ...fields })
    if (!response.ok && status !== RULE_BROKEN) return refusal(fields)
    return pageOf(tool, fields, { continuation, of: nameOf(asked, text) })
  } catch (error) {
    if (error instanceof Problem) return refusal(error.toDocument())
    throw error
  }
}

async function fieldsOf(response: Response): Promise<Fields> {
  return fieldsIn(await response.text())
}

function fieldsIn(text: string): Fields {
  const value = parseJson(text)
  return typeof value === 'object' && value !== null ? { ...value } : {}
}

type Position = {
  readonly continuation: Continuation
  /** Names the answer. */
  readonly of: string
}

/** As many lines as fit, after those that were given before. */
function pageOf(tool: Tool, { nextCursor, ...fields }: Fields, { continuation, of }: Position): Result {
  requireSame(continuation, of)
  const next = typeof nextCursor === 'string' ? nextCursor : undefined
  const longest = [continuation.page ?? '', next ?? ''].sort((a, b) => b.length - a.length)[0] ?? ''
  const sentence = tool.says
  const room = roomFor({
    sentence,
    cursor: writeCursor({ skipped: Number.MAX_SAFE_INTEGER, of, page: longest }),
  })
  const all = continuation.page === undefined ? linesOf(fields, room) : listLines(fields, room)
  const { lines, isWhole } = fitting(all, room, continuation.skipped)
  const more = isWhole
    ? next === undefined
      ? undefined
      : { skipped: 0, page: next }
    : { skipped: continuation.skipped + lines.length, of, page: continuation.page }
  const cursor = more === undefined ? undefined : writeCursor(more)
  return { text: textOf({ sentence, data: lines.join('\n'), cursor }), isError: false }
}

/** A code that the API and the command use, and no other. */
const CODE = /^[a-z]+(?:_[a-z]+){0,5}$/

/** A problem: its code and title are the service's own words, what it says of the image is data. */
function refusal({ code, type: _type, title: _title, status: _status, ...rest }: Fields): Result {
  const known = typeof code === 'string' && CODE.test(code) ? code : 'internal_error'
  const again = known === 'analysis_pending' ? ' Ask again with the same arguments.' : ''
  const sentence = `${known}: ${problemTitle(known) ?? 'The call failed'}.${again}`
  const room = roomFor({ sentence })
  const { lines } = fitting(linesOf(rest, room), room)
  return { text: textOf({ sentence, data: lines.join('\n') }), isError: true }
}

/** As many lines as fit after those that are skipped, and whether these are all. */
function fitting(
  all: Iterable<string>,
  room: number,
  skipped = 0,
): { readonly lines: readonly string[]; readonly isWhole: boolean } {
  const lines: string[] = []
  let [number, taken] = [0, 0]
  for (const line of all) {
    if (number++ < skipped) continue
    taken += Buffer.byteLength(line) + 1
    if (taken > room + 1) return { lines, isWhole: false }
    lines.push(line)
  }
  return { lines, isWhole: true }
}
