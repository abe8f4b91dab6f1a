/** Reads posted JSON or YAML text into plain data: strict, bounded, and with every number as written. */
import { isAlias, isMap, isScalar, isSeq, Lexer, LineCounter, parseDocument } from 'yaml'
import { Problem } from '../problem.ts'

/** Scalars as text: the reader decides what is a number or a boolean. Null for an empty value. */
export type PlainData = string | null | readonly PlainData[] | ReadonlyMap<string, PlainData>

const MAX_BYTES = 1024 * 1024

/** A policy has a few hundred. This many are parsed within some 20 ms, in the thread that answers. */
const MAX_TOKENS = 10_000
/** A line of a folded text is not a token, and takes 0.3 µs; a Dockerfile has a few hundred. */
const MAX_LINES = 20_000

/**
 * @param text at most 1 MiB of UTF-8
 * @param what the name of the text in problems
 * @throws Problem `invalid_parameter` for invalid text, a repeated key, an alias or a custom tag; `too_large`
 */
export function readDocument(text: string, language: 'json' | 'yaml', what: string): PlainData {
  if (Buffer.byteLength(text) > MAX_BYTES) {
    throw new Problem('too_large', `${what} has more than ${MAX_BYTES} bytes`)
  }
  const unreadable = (why: string) => new Problem('invalid_parameter', `${what} cannot be read: ${why}`)
  try {
    // JSON is also YAML, whose parser notices repeated keys; but not all YAML is JSON.
    if (language === 'json') JSON.parse(text)
    if (hasTooManyLines(text)) throw unreadable(`it has more than ${MAX_LINES} lines`)
    if (hasTooManyTokens(text)) throw unreadable(`it has more than ${MAX_TOKENS} tokens`)
    const lines = new LineCounter()
    // The library's own check for repeated keys takes quadratic time, and so does formatting errors.
    const document = parseDocument(text, { uniqueKeys: false, prettyErrors: false, lineCounter: lines })
    const [fault] = [...document.errors, ...document.warnings]
    if (fault !== undefined) {
      const { line, col } = lines.linePos(fault.pos[0])
      const why = fault.message.includes('call stack') ? 'it is nested too deeply' : fault.message
      throw unreadable(`${why}, in line ${line} at ${col}`)
    }
    if (document.directives?.yaml.version !== '1.2') throw unreadable('it is not YAML 1.2')
    return plain(document.contents, unreadable)
  } catch (error) {
    if (error instanceof Problem) throw error
    // A syntax error of JSON.parse, or nesting so deep that the stack overflowed.
    throw unreadable(error instanceof SyntaxError ? error.message : 'it is nested too deeply')
  }
}

function hasTooManyLines(text: string): boolean {
  let lines = 1
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1))
    if (++lines > MAX_LINES) return true
  return false
}

function hasTooManyTokens(text: string): boolean {
  let tokens = 0
  for (const _ of new Lexer().lex(text)) if (++tokens > MAX_TOKENS) return true
  return false
}

function plain(node: unknown, unreadable: (why: string) => Problem): PlainData {
  if (node === null || node === undefined) return null
  if (isAlias(node)) throw unreadable('aliases are not supported')
  if (isScalar(node)) return scalarText(node)
  if (isSeq(node)) return node.items.map((item) => plain(item, unreadable))
  if (!isMap(node)) throw unreadable('it contains a node that is not a value')
  const entries = new Map<string, PlainData>()
  for (const { key, value } of node.items) {
    if (!isScalar(key)) throw unreadable('a key is not plain text')
    const name = String(key.value)
    if (entries.has(name)) throw unreadable(`the key ${JSON.stringify(name)} is repeated`)
    entries.set(name, plain(value, unreadable))
  }
  return entries
}

/** A number as its author wrote it: whether 10.10 or 0x10 is valid is decided where limits are read. */
function scalarText(scalar: { readonly value: unknown; readonly source?: string }): string | null {
  if (scalar.value === null) return null
  return typeof scalar.value === 'string' ? scalar.value : (scalar.source ?? String(scalar.value))
}
