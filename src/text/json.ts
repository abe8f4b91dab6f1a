/** JSON that somebody else wrote. */

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
