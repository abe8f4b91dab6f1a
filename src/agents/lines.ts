/** An answer in JSON as lines, each of which says by itself what it is: `{"size": {…}}`, then `{"layers": {…}}` for each layer. */
import { isJsonObject } from '../text/json.ts'
import { visibleJson } from './visible.ts'

/** Longer texts are cut. */
const TEXT_CHARACTERS = 1_024
/** A line that is still too long keeps less of its texts and lists. */
const SHORTEST = 16

type Fields = Readonly<Record<string, unknown>>

/**
 * First each field, with lists taken out; then these, an item a line.
 *
 * @param bytes that a line may take
 */
export function* linesOf(answer: Fields, bytes: number): Generator<string> {
  for (const [name, value] of Object.entries(answer)) {
    const rest = withoutLists(value)
    if (rest !== undefined) yield lineOf(name, rest, bytes)
  }
  yield* listLines(answer, bytes)
}

/** The lists alone. */
export function* listLines(answer: Fields, bytes: number, prefix = ''): Generator<string> {
  for (const [name, value] of Object.entries(answer)) {
    const whole = prefix + name
    if (Array.isArray(value)) for (const item of value) yield lineOf(whole, item, bytes)
    else if (isJsonObject(value)) yield* listLines(value, bytes, `${whole}.`)
  }
}

/** undefined if nothing is left */
function withoutLists(value: unknown): unknown {
  if (Array.isArray(value)) return undefined
  if (!isJsonObject(value)) return value
  const left = Object.entries(value).flatMap(([name, one]) => {
    const rest = withoutLists(one)
    return rest === undefined ? [] : [[name, rest]]
  })
  return left.length === 0 ? undefined : Object.fromEntries(left)
}

function lineOf(name: string, value: unknown, bytes: number): string {
  for (let most = TEXT_CHARACTERS; ; most /= 2) {
    const line = visibleJson(JSON.stringify({ [name]: cut(value, most) }))
    if (most < SHORTEST || Buffer.byteLength(line) <= bytes) return line
  }
}

/** Texts of more characters end in `…`; lists and objects keep as many items once they must be cut at all. */
function cut(value: unknown, most: number): unknown {
  if (typeof value === 'string') return cutText(value, most)
  const isWhole = most === TEXT_CHARACTERS
  if (Array.isArray(value)) {
    const kept = (isWhole ? value : value.slice(0, most)).map((one) => cut(one, most))
    return kept.length < value.length ? [...kept, '…'] : kept
  }
  if (!isJsonObject(value)) return value
  const entries = Object.entries(value)
  const kept = isWhole ? entries : entries.slice(0, most)
  const fields = kept.map(([name, one]) => [cutText(name, most), cut(one, most)])
  return Object.fromEntries(kept.length < entries.length ? [...fields, ['…', '…']] : fields)
}

function cutText(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most).replace(/[\ud800-\udbff]$/, '')}…` : text
}
