/** Calls a tool: asks its endpoint, and writes the answer for an agent. */
import { Problem, problemTitle } from '../problem.ts'
import { parseJson } from '../text/json.ts'
import { nameOf, type Place, readCursor, requireSame, writeCursor } from './cursor.ts'
import { linesOf, listLines } from './lines.ts'
import { queryOf } from './query.ts'
import { filePage, placeInFile } from './read-file.ts'
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
      const place = placeInFile(given)
      const response = await ask(`${path}?${query}`, signal)
      return response.ok ? await filePage(response, `${query}`, place) : refusal(await fieldsOf(response))
    }
    const place = readCursor(given.cursor)
    const asked = `${query}`
    if (place.page !== undefined) query.set('cursor', place.page)
    const response = await ask(`${path}?${query}`, signal)
    const text = await response.text()
    const fields = fieldsIn(text)
    const { status } = response
    if (status === PENDING) return refusal({ code: 'analysis_pending', ...fields })
    if (!response.ok && status !== RULE_BROKEN) return refusal(fields)
    return pageOf(tool, fields, { place, of: nameOf(asked, text) })
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
  readonly place: Place
  /** Names the answer. */
  readonly of: string
}

/** As many lines as fit, after those that were given before. */
function pageOf(tool: Tool, { nextCursor, ...fields }: Fields, { place, of }: Position): Result {
  requireSame(place, of)
  const next = typeof nextCursor === 'string' ? nextCursor : undefined
  const longest = [place.page ?? '', next ?? ''].sort((a, b) => b.length - a.length)[0] ?? ''
  const sentence = tool.says
  const room = roomFor({
    sentence,
    cursor: writeCursor({ skipped: Number.MAX_SAFE_INTEGER, of, page: longest }),
  })
  const all = place.page === undefined ? linesOf(fields, room) : listLines(fields, room)
  const { lines, isWhole } = fitting(all, room, place.skipped)
  const more = isWhole
    ? next === undefined
      ? undefined
      : { skipped: 0, page: next }
    : { skipped: place.skipped + lines.length, of, page: place.page }
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
