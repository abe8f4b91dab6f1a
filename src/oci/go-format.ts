/**
 * Values as Go's `fmt` prints them with `%q` and `%v`, which is how builders write lists into an image's history:
 * `["sh" "-c" "echo \"hi\""]`, `[/data /cache]`, `map[80/tcp:{}]`, `'\x03'`. Source: Go's packages `fmt` and `strconv`.
 */

const ESCAPES: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
}

/** A quoted text or character, without its quotes, as it was. */
function unquote(text: string): string {
  return text.replace(
    /\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8})|([0-7]{3})|(.))/gs,
    (_, x: string, u: string, U: string, octal: string, letter: string) => {
      if (letter !== undefined) return ESCAPES[letter] ?? letter
      const code = octal === undefined ? Number.parseInt(x ?? u ?? U, 16) : Number.parseInt(octal, 8)
      return code <= 0x10ffff ? String.fromCodePoint(code) : '\ufffd'
    },
  )
}

/** The texts of `["a" "b"]`, with or without commas; undefined if it is no such list. */
export function parseQuotedList(text: string): readonly string[] | undefined {
  const inner = /^(?:&\{)?\s*\[(.*)\]\s*\}?$/s.exec(text.trim())?.[1]
  if (inner === undefined) return undefined
  const texts: string[] = []
  for (let at = 0; at < inner.length; at++) {
    const character = inner.charAt(at)
    if (character !== '"') {
      if (/[\s,]/.test(character)) continue
      return undefined
    }
    const end = endOfQuoted(inner, at + 1)
    if (end < 0) return undefined
    texts.push(unquote(inner.slice(at + 1, end)))
    at = end
  }
  return texts
}

/** Position of the quote that ends the text from `start` on; -1 if it is missing. Written by hand to be linear. */
function endOfQuoted(text: string, start: number): number {
  for (let at = start; at < text.length; at++) {
    const character = text.charAt(at)
    if (character === '"') return at
    if (character === '\\') at++
  }
  return -1
}

/** The words of `[a b]`; those of any text without brackets. */
export function parsePlainList(text: string): readonly string[] {
  const inner = /^\[(.*)\]$/s.exec(text.trim())?.[1] ?? text
  return inner.split(/\s+/).filter(Boolean)
}

/** The keys of `map[a:{} b:{}]`; undefined if it is no such map. */
export function parseSet(text: string): readonly string[] | undefined {
  const inner = /^map\[(.*)\]$/s.exec(text.trim())?.[1]
  if (inner === undefined) return undefined
  return inner
    .split(/\s+/)
    .filter(Boolean)
    .map((member) => member.replace(/:\{\}$/, ''))
}

/** The number that `%q` printed as a character, `'\x03'`, or as digits; undefined otherwise. */
export function parseRune(text: string): number | undefined {
  if (/^\d+$/.test(text)) return Number(text)
  const inner = /^'(.+)'$/s.exec(text)?.[1]
  return inner === undefined ? undefined : unquote(inner).codePointAt(0)
}
