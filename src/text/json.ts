/** JSON: what somebody else wrote, and what a terminal may show. */

/** The value; undefined, which JSON does not have, unless it is JSON in UTF-8. */
export function parseJson(json: string | Uint8Array): unknown {
  try {
    return JSON.parse(
      typeof json === 'string' ? json : new TextDecoder('utf-8', { fatal: true }).decode(json),
    )
  } catch {
    return undefined
  }
}

export function isJsonObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const [QUOTE, BACKSLASH, COMMA, COLON, BRACKET, BRACE] = Buffer.from('"\\,:[{')

/**
 * Whether a JSON text has more separators and opening brackets than `most`, which bounds its values and keys. The cost of
 * parsing depends on them far more than on bytes.
 */
export function hasMoreParts(json: Uint8Array, most: number): boolean {
  let parts = 0
  let isText = false
  for (let at = 0; at < json.length; at++) {
    const byte = json[at]
    if (isText) {
      if (byte === BACKSLASH) at++
      else if (byte === QUOTE) isText = false
    } else if (byte === QUOTE) isText = true
    else if (byte === COMMA || byte === COLON || byte === BRACKET || byte === BRACE) {
      if (++parts > most) return true
    }
  }
  return false
}

/** Controls that JSON does not escape itself, and characters that are invisible or change how others look. */
const UNSAFE = /[\x7f-\x9f\p{Cf}\p{Zl}\p{Zp}]/gu

/** The same as JSON.stringify for every parser, and safe to print: terminals act on controls and on changes of direction. */
export function toJson(value: unknown): string {
  return JSON.stringify(value).replace(UNSAFE, jsonEscape)
}

/** A character as JSON escapes it: `\\u202e`, or two for one beyond the basic plane. */
export function jsonEscape(character: string): string {
  let units = ''
  for (let at = 0; at < character.length; at++)
    units += `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`
  return units
}
